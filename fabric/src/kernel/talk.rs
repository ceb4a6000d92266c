//! Requests and answers over one netlink socket.

use std::io;
use std::pin::pin;

use futures_util::StreamExt;
use rtnetlink::packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::proto::sys::{AsyncSocket, SocketAddr, protocols::NETLINK_ROUTE};
use rtnetlink::proto::{ConnectionHandle, new_connection};

use super::extack;
use crate::Refusal;

/// How many requests go into one datagram. The kernel answers all of them before we can read the first answer, and
/// drops answers that its buffer (212,992 bytes by default, about 1 KiB an answer) can't hold.
const BATCH: usize = 64;

/// `NLM_F_DUMP_INTR`: something changed during a dump, which may have missed or doubled a link by that.
const DUMP_INTERRUPTED: u16 = 0x10;

/// How often an interrupted dump is begun again.
const DUMP_ATTEMPTS: usize = 10;

/// The kernel's address on a netlink socket.
fn kernel() -> SocketAddr {
    SocketAddr::new(0, 0)
}

/// A message with its flags beyond `NLM_F_REQUEST` and `NLM_F_ACK`.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) message: RouteNetlinkMessage,
    pub(super) flags: u16,
}

/// The connection.
#[derive(Debug)]
pub(super) struct Talk(ConnectionHandle<RouteNetlinkMessage>);

impl Talk {
    /// Opens a socket in the thread's namespace. The task that serves it ends when this value is dropped.
    pub(super) fn open() -> io::Result<Self> {
        let (mut connection, handle, unsolicited) = new_connection(NETLINK_ROUTE)?;
        connection.set_forward_ack(true);
        connection.set_forward_done(true);
        let socket = connection.socket_mut().socket_mut();
        socket.set_ext_ack(true)?;
        // Without this every refusal would carry its whole request.
        socket.set_cap_ack(true)?;
        drop(unsolicited);
        tokio::spawn(connection);
        Ok(Self(handle))
    }

    /// Sends the requests, many in a datagram, in order, and returns the first refusal. Those of the same datagram behind
    /// a refused one have been carried out then, so a batch must be of requests that may.
    pub(super) async fn send(&self, requests: Vec<Request>) -> Result<Vec<RouteNetlinkMessage>, Refusal> {
        let mut answers = Vec::new();
        for batch in requests.chunks(BATCH) {
            answers.extend(self.send_batch(batch).await?);
        }
        Ok(answers)
    }

    async fn send_batch(&self, batch: &[Request]) -> Result<Vec<RouteNetlinkMessage>, Refusal> {
        let messages: Vec<_> = batch.iter().map(acknowledged).collect();
        let stream =
            self.0.request_batch(messages, kernel()).map_err(|error| Refusal::Connection(error.to_string()))?;
        let mut stream = pin!(stream);
        let (mut answers, mut acknowledged, mut refusal) = (Vec::new(), 0, None);
        while let Some(answer) = stream.next().await {
            match answer.payload {
                NetlinkPayload::InnerMessage(message) => answers.push(message),
                NetlinkPayload::Error(error) if error.code.is_none() => acknowledged += 1,
                NetlinkPayload::Error(error) => {
                    refusal.get_or_insert_with(|| extack::refusal(answer.header.flags, &error));
                }
                _ => {}
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            // A connection that breaks ends the answers early, which must not pass for consent.
            None if acknowledged < batch.len() => Err(Refusal::Connection("it ended before the answer".into())),
            None => Ok(answers),
        }
    }

    /// Everything of a kind. Begun again while others change things under it.
    pub(super) async fn dump(&self, message: RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Refusal> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(items) = self.dump_once(message.clone()).await? {
                return Ok(items);
            }
        }
        Err(Refusal::Connection("others change the network faster than it can be read".into()))
    }

    async fn dump_once(&self, message: RouteNetlinkMessage) -> Result<Option<Vec<RouteNetlinkMessage>>, Refusal> {
        let mut request = NetlinkMessage::from(message);
        request.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let stream = self.0.request(request, kernel()).map_err(|error| Refusal::Connection(error.to_string()))?;
        let mut stream = pin!(stream);
        let (mut items, mut whole) = (Vec::new(), false);
        while let Some(answer) = stream.next().await {
            if answer.header.flags & DUMP_INTERRUPTED != 0 {
                return Ok(None);
            }
            match answer.payload {
                NetlinkPayload::InnerMessage(item) => items.push(item),
                NetlinkPayload::Error(error) => return Err(extack::refusal(answer.header.flags, &error)),
                NetlinkPayload::Done(done) if done.code != 0 => {
                    return Err(Refusal::Kernel { message: None, errno: done.code.abs() });
                }
                NetlinkPayload::Done(_) => whole = true,
                _ => {}
            }
        }
        if whole { Ok(Some(items)) } else { Err(Refusal::Connection("it ended in the middle of a dump".into())) }
    }
}

fn acknowledged(request: &Request) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = NetlinkMessage::from(request.message.clone());
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | request.flags;
    message
}
