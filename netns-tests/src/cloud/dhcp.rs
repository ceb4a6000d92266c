//! Addresses for instances that ask for theirs as they would in EC2: each gets the one that the API has given it. RFC 2131 and 2132, as
//! far as one client and one server on one segment need them.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use landbridge::naming::Mac;
use nix::sys::socket::{Shutdown, setsockopt, shutdown, sockopt};

use super::Shared;
use crate::Machine;
use crate::error::{LabResult, io_error};

/// The fixed part of a message, and the word after which options begin.
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// Kinds of messages.
const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACK: u8 = 5;

/// Longer than any test.
const LEASE_SECS: u32 = 3600;

/// The running server. Dropped, it ends.
pub(super) struct Dhcp {
    socket: Arc<UdpSocket>,
}

impl Dhcp {
    pub(super) fn start(machine: &Machine, gateway: Ipv4Addr, state: &Shared) -> LabResult<Self> {
        let bind = || {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 67))?;
            socket.set_broadcast(true)?;
            // It answers on this segment, whatever ways there are.
            setsockopt(&socket, sockopt::BindToDevice, &"eth0".into())?;
            io::Result::Ok(socket)
        };
        let socket = Arc::new(machine.netns().enter(bind).map_err(io_error("listening for DHCP on", machine.name()))?);
        let (serving, state) = (Arc::clone(&socket), state.clone());
        std::thread::spawn(move || {
            let mut message = [0; 1500];
            while let Ok((length @ 1.., _)) = serving.recv_from(&mut message) {
                let addresses: Vec<Ipv4Addr> = state.lock().instances.iter().map(|it| it.address).collect();
                if let Some(answer) = answer(&message[..length], gateway, &addresses) {
                    // Whoever hears nothing asks again.
                    let _ = serving.send_to(&answer, (Ipv4Addr::BROADCAST, 68));
                }
            }
        });
        Ok(Self { socket })
    }
}

impl Drop for Dhcp {
    fn drop(&mut self) {
        // Wakes the thread that listens, although a datagram's socket is never connected.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Both);
    }
}

/// The answer to a message from the card of one of these addresses' instances.
fn answer(message: &[u8], gateway: Ipv4Addr, addresses: &[Ipv4Addr]) -> Option<Vec<u8>> {
    let (fixed, options) = (message.get(..FIXED)?, message.get(FIXED..)?.strip_prefix(&COOKIE)?);
    let kind = match kind(options)? {
        DISCOVER => OFFER,
        REQUEST => ACK,
        _ => return None,
    };
    let address = addresses.iter().find(|address| Mac::of(**address).0 == fixed[28..34])?;
    let mut answer = fixed.to_vec();
    answer[0] = 2;
    answer[16..20].copy_from_slice(&address.octets());
    answer.extend(COOKIE);
    answer.extend([53, 1, kind]);
    let gateway = gateway.octets();
    let words = [(54, gateway), (51, LEASE_SECS.to_be_bytes()), (1, [255, 255, 255, 0]), (3, gateway)];
    for (code, word) in words {
        answer.extend([&[code, 4], &word[..]].concat());
    }
    answer.push(255);
    Some(answer)
}

/// The option that says what a message is.
fn kind(mut options: &[u8]) -> Option<u8> {
    loop {
        match options {
            [53, 1, kind, ..] => return Some(*kind),
            [0, rest @ ..] => options = rest,
            [255, ..] | [] | [_] => return None,
            [_, length, rest @ ..] => options = rest.get(usize::from(*length)..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 4);

    fn message(kind: u8) -> Vec<u8> {
        let mut message = vec![0; FIXED];
        message[28..34].copy_from_slice(&Mac::of(ADDRESS).0);
        [&message[..], &COOKIE, &[0, 12, 1, 65, 53, 1, kind, 255]].concat()
    }

    #[test]
    fn a_card_is_offered_its_instances_address_and_nobody_elses() {
        let told = answer(&message(DISCOVER), GATEWAY, &[[203, 0, 113, 9].into(), ADDRESS]).expect("an offer");
        assert_eq!((told[0], &told[16..20], told[FIXED + 6]), (2, &ADDRESS.octets()[..], OFFER));
        assert_eq!(answer(&message(REQUEST), GATEWAY, &[ADDRESS]).expect("a lease")[FIXED + 6], ACK);
        assert_eq!(answer(&message(DISCOVER), GATEWAY, &[[203, 0, 113, 9].into()]), None);
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        for bad in [&message(DISCOVER)[..FIXED + 3], &message(ACK)[..], b"", &[0; 300]] {
            assert_eq!(answer(bad, GATEWAY, &[ADDRESS]), None);
        }
    }
}
