//! The one processor that a guest has, and its kernel stays on.
//!
//! User-mode-linux and the guest's programs take turns at each system call and each page fault, as processes of this machine that
//! never run at the same time. Spread over its processors they wait for one to be woken at every turn, which takes longer than
//! the turn itself: a program's start took 32 ms in place of 13.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity};

/// The next one's, in turn over those that this process may use; as taskset(1) takes it.
pub(super) fn next() -> String {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() as usize);
    sched_getaffinity(None).map_or_else(|_| "0".to_owned(), |allowed| of(&allowed, turn).to_string())
}

fn of(allowed: &CpuSet, turn: usize) -> usize {
    let mut usable = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number)).cycle();
    usable.nth(turn % (allowed.count() as usize).max(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_spread_over_the_processors_that_there_are() {
        let mut allowed = CpuSet::new();
        for number in [1, 4, 5] {
            allowed.set(number);
        }
        assert_eq!([0, 1, 2, 3].map(|turn| of(&allowed, turn)), [1, 4, 5, 1]);
    }
}
