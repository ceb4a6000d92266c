//! How a tunnel over TCP takes losses.
//!
//! All streams of a worker share its tunnel's one connection. Linux's usual congestion control, cubic (RFC 9438), takes each lost packet
//! for a full queue: on a long way with an odd loss the connection never comes to speed. BBR (draft-ietf-ccwg-bbr) goes by what
//! arrives, and by the time that it takes. OpenVPN has no option for it, and the machine's other connections are not ours to
//! change: so the sockets of its process get it, one by one. What a listening socket has, the connections that it accepts begin with.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::ipproto;
use rustix::net::sockopt::{set_tcp_congestion, socket_acceptconn, socket_protocol, tcp_congestion};

use crate::machine::{Machine, Sockets};
use crate::words;

/// As tcp(7) and `tcp_available_congestion_control` name it.
const BBR: &str = "bbr";

/// Has the connections of an OpenVPN process go by BBR, those that are there and those that it will accept. Returns at once: a
/// kernel whose BBR is a module takes its time to load it. One without any keeps its own way, and nothing is lost but speed.
pub fn favour_bbr(machine: &Machine, process: &str) {
    let sockets = match machine.sockets(process) {
        Ok(Some(sockets)) => sockets,
        Ok(None) => return,
        Err(error) => {
            return tracing::debug!(error = %words::chain(&error), "the tunnel's connections stay as they are");
        }
    };
    let name = process.to_owned();
    let work = move || {
        if let Err(error) = favour_all(&sockets) {
            tracing::debug!(%error, name, "the kernel gives a tunnel's connection no BBR");
        }
    };
    // Without a thread: the next time.
    drop(std::thread::Builder::new().name("congestion".into()).spawn(work));
}

/// A listener gets it last, so that one that has it tells that an earlier look went to its end, and what it has accepted since has it
/// too: nobody looks at each worker's connection again and again. What it accepted meanwhile is looked at once more.
fn favour_all(sockets: &Sockets) -> io::Result<()> {
    let mut listeners = Vec::new();
    for socket in tcp(sockets)? {
        let socket = socket?;
        match (socket_acceptconn(&socket)?, tcp_congestion(&socket)? == BBR) {
            (true, true) => return Ok(()),
            (true, false) => listeners.push(socket),
            (false, has_it) => favour(&socket, has_it)?,
        }
    }
    for listener in &listeners {
        favour(listener, false)?;
    }
    let accepted_meanwhile = if listeners.is_empty() { None } else { Some(tcp(sockets)?) };
    for socket in accepted_meanwhile.into_iter().flatten() {
        let socket = socket?;
        favour(&socket, tcp_congestion(&socket)? == BBR)?;
    }
    Ok(())
}

fn favour(socket: &OwnedFd, has_it: bool) -> Result<(), Errno> {
    if has_it { Ok(()) } else { set_tcp_congestion(socket, BBR) }
}

fn tcp(sockets: &Sockets) -> io::Result<impl Iterator<Item = io::Result<OwnedFd>> + '_> {
    let is_tcp = |socket: &OwnedFd| socket_protocol(socket).is_ok_and(|protocol| protocol == Some(ipproto::TCP));
    Ok(sockets.copies()?.filter(move |socket| socket.as_ref().map_or(true, is_tcp)))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;

    use super::*;

    /// Every kernel has it, and it is nobody's usual one.
    const RENO: &str = "reno";

    #[tokio::test]
    async fn a_server_and_whoever_was_there_before_go_by_bbr() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (accepted, _) = listener.accept().expect("a connection");
        for socket in [listener.as_fd(), accepted.as_fd()] {
            set_tcp_congestion(socket, RENO).expect("reno");
        }
        favour_all(&Sockets::of_this_process()).expect("a kernel with BBR");
        for socket in [listener.as_fd(), accepted.as_fd()] {
            assert_eq!(tcp_congestion(socket).as_deref(), Ok(BBR));
        }
    }

    #[test]
    fn an_accepted_connection_begins_with_what_its_listener_was_given() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        set_tcp_congestion(&listener, RENO).expect("reno");
        let _client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (accepted, _) = listener.accept().expect("a connection");
        assert_eq!(tcp_congestion(&accepted).as_deref(), Ok(RENO));
    }
}
