//! What the path to one peer on the vLAN carries, and the routes that say so: on a worker towards the front-end, on the
//! front-end towards each worker behind a tunnel.
//!
//! The vLAN is one layer-2 segment whose ports carry its MTU and no more, so every link keeps that MTU. A tunnel carries
//! far larger packets, and its cost is per packet. So the two ends of each tunnel, and they alone, have a route to each
//! other with a larger MTU, once it was proved; everybody else goes by the link's. TCP offers the large segment size from the start, so that
//! connections that began before the proof grow with it, and shrink when the path no longer carries it.
//!
//! | file | purpose |
//! |---|---|
//! | `congestion` | how a tunnel over TCP takes losses |
//! | `judge` | from what was seen to what is believed; pure |
//! | `keeper` | looks, and sets the routes |
//! | `room` | what this end may send over TCP |

mod congestion;
mod judge;
mod keeper;
mod room;

pub use congestion::favour_bbr;
pub use judge::{Judge, Level};
pub use keeper::{PathError, PathKeeper, Sizes};
pub use room::SendRoom;
