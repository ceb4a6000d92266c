//! The cluster as a picture: a model, and two ways to draw it. Pure.
//!
//! The front-end stands above the vLAN with its services and its bridge; physical hosts hang below it, each with a bridge and
//! the workers on it; clouds stand beside the front-end and reach it through tunnels.

mod group;
mod model;
mod svg;
mod text;

pub use group::{Group, GroupKind, Tile};
pub use model::{Service, Topology};
pub use svg::svg;
pub use text::{Run, text};
