//! The socket between the driver and the lab. A question is the operation's word on a line and the request up to the end; the answer
//! is the driver's exit status on a line and what it is to print.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Arc;

use super::guests::Guests;
use crate::machine::Machine;

/// The socket's name, in the abstract space of the front-end's network namespace.
const NAME: &[u8] = b"landbridge-lab-hypervisor";

/// Listens until it is dropped.
pub(super) struct Door {
    listener: Arc<UnixListener>,
}

impl Door {
    pub(super) fn open(frontend: &Machine, guests: Guests) -> io::Result<Self> {
        let bind = || UnixListener::bind_addr(&SocketAddr::from_abstract_name(NAME)?);
        let listener = Arc::new(frontend.netns().enter(bind)?);
        let accepting = Arc::clone(&listener);
        let guests = Arc::new(guests);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                let guests = Arc::clone(&guests);
                std::thread::spawn(move || answer(&stream, &guests));
            }
        });
        Ok(Self { listener })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Wakes the thread that accepts.
        let _ = nix::sys::socket::shutdown(self.listener.as_raw_fd(), nix::sys::socket::Shutdown::Both);
    }
}

fn answer(mut stream: &UnixStream, guests: &Guests) {
    let mut question = String::new();
    if stream.read_to_string(&mut question).is_err() {
        return;
    }
    let (operation, request) = question.split_once('\n').unwrap_or((&question, ""));
    let (status, text) = match guests.answer(operation, request) {
        Ok(text) => (0, text),
        Err(text) => (1, text),
    };
    // Whoever has gone meanwhile asks again.
    let _ = stream.write_all(format!("{status}\n{text}").as_bytes());
}

/// What the driver does: asks the lab, and returns its exit status and what it is to print.
///
/// # Errors
/// There is no lab to be asked.
pub fn ask(operation: &str, request: &str) -> io::Result<(u8, String)> {
    let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(NAME)?)?;
    stream.write_all(format!("{operation}\n{request}").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (status, text) = answer.split_once('\n').ok_or_else(|| io::Error::other("the lab went away"))?;
    Ok((status.parse().map_err(io::Error::other)?, text.to_owned()))
}
