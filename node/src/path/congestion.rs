//! How a tunnel over TCP takes losses.
//!
//! All streams of a worker share its tunnel's one connection. Linux's usual congestion control, cubic (RFC 9438), takes each lost packet
//! for a full queue: on a long way with an odd loss the connection never comes to speed. BBR (draft-ietf-ccwg-bbr) goes by what
//! arrives, and by the time that it takes. OpenVPN has no option for it, and the machine's other connections are not ours to
//! change: so the sockets of its process get it, one by one. What a listening socket has, the connections that it accepts begin with.

use std::io;

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

/// A listener that has it already was found by an earlier look, and what it has accepted since has it too: nobody looks at each
/// worker's connection again and again.
fn favour_all(sockets: &Sockets) -> io::Result<()> {
    for socket in sockets.copies()? {
        let socket = socket?;
        if socket_protocol(&socket)? != Some(ipproto::TCP) {
            continue;
        }
        if tcp_congestion(&socket)? != BBR {
            set_tcp_congestion(&socket, BBR)?;
        } else if socket_acceptconn(&socket)? {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Every kernel has it, and it is nobody's usual one.
    const RENO: &str = "reno";

    #[test]
    fn an_accepted_connection_begins_with_what_its_listener_was_given() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        set_tcp_congestion(&listener, RENO).expect("reno");
        let _client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (accepted, _) = listener.accept().expect("a connection");
        assert_eq!(tcp_congestion(&accepted).as_deref(), Ok(RENO));
    }
}
