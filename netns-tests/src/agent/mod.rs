//! A machine's agent: its first process, which runs what the lab asks for and sends back what came of it.

pub(crate) mod client;
pub(crate) mod message;
pub(crate) mod process;
mod reaper;
pub(crate) mod server;
mod wait;
