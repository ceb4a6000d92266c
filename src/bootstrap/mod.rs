//! What a machine is told at its first start, so that it joins by itself: cloud-init's documents, and the seed image that
//! carries them where there is no metadata service.
//!
//! Two readers share the user-data. A stock image's cloud-init writes the files in it and runs the script, which fetches
//! `landbridge-node` over TLS pinned to our authority. The golden image's `landbridge-node join --user-data` takes only the token,
//! from the comment in the second line.

mod nocloud;
pub mod seed;
mod user_data;

pub use nocloud::{Card, meta_data, network_config};
pub use seed::Seed;
pub use user_data::{Bootstrap, LIMIT, Needs, TooLarge, user_data};
