//! In which order links come and go.

use std::cmp::Reverse;

use super::target::{Links, is_bridge};
use crate::InterfaceName;

/// How many links stand below this one. A chain that bites its own tail counts as endless.
pub(super) fn depth(name: &InterfaceName, links: &Links) -> usize {
    let parent = |name: &InterfaceName| links.get(name).and_then(|link| link.kind.parent()).cloned();
    let chain = std::iter::successors(parent(name), parent);
    chain.take(links.len() + 1).count()
}

/// Bridges first (others become their ports), then what stands on nothing, then what stands on that.
pub(super) fn creation(mut names: Vec<InterfaceName>, links: &Links) -> Vec<InterfaceName> {
    names.sort_by_cached_key(|name| (Reverse(links.get(name).is_some_and(is_bridge)), depth(name, links)));
    names
}

/// The other way round.
pub(super) fn deletion(names: Vec<InterfaceName>, links: &Links) -> Vec<InterfaceName> {
    let mut names = creation(names, links);
    names.reverse();
    names
}
