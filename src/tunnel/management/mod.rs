//! OpenVPN's management interface (management-notes.txt, version 5): a text protocol over a unix socket.
//!
//! `message` and `codec` are pure: bytes in, messages out. `session` reads the answer to `status 3`. `client` is the
//! conversation.
//!
//! openvpn serves one client at a time and lets one or two more wait in the socket's backlog. So we keep no connection:
//! each operation opens one, asks, and closes it. Two operations at once queue behind each other by themselves, a person
//! can look in between, and a daemon that dies holds nothing.

mod client;
mod codec;
mod message;
mod session;

pub use client::{Management, ManagementError, ServerState};
pub use codec::{Decoder, LineTooLong, MAX_LINE};
pub use message::{Command, Message, Notification, Source};
pub use session::{MalformedStatus, Session};
