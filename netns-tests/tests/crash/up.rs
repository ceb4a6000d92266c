//! `up` and `down`, killed at every moment.

use netns_tests::LabResult;
use netns_tests::ursa::{Trace, Ursa};
use rstest::rstest;

use crate::{KILL_AT, KILLED};

/// How many labs share the sweep.
const LABS: usize = 3;

#[rstest]
fn up_killed_at_any_moment_is_finished_by_up_and_undone_by_down(#[values(0, 1, 2)] lab: usize) -> LabResult<()> {
    let ursa = Ursa::draw(&format!("crash-up-{lab}"))?;
    let bare = Trace::of(&ursa.frontend)?;
    let mut moments = (0..).filter(|at| at / 2 % LABS == lab);
    let (mut swept, mut last) = (0, 0);
    for at in moments.by_ref() {
        last = at;
        let begun = std::time::Instant::now();
        let died = dies_at(&ursa, "up", at)?;
        for down_at in is_finished(at).then_some([at, at ^ 1]).into_iter().flatten() {
            comes_up(&ursa)?;
            dies_at(&ursa, "down --force --purge", down_at)?;
            ursa.landbridge("down --force --purge").expect_ok()?;
        }
        nothing_is_left(&ursa, &bare, at)?;
        println!("lab {lab}: moment {at} took {:.1} s", begun.elapsed().as_secs_f64());
        if !died {
            break;
        }
        swept += 1;
    }
    println!("lab {lab}: {swept} moments of up");
    // And what moments `down` has beyond those of `up`.
    for at in std::iter::once(last).chain(moments) {
        comes_up(&ursa)?;
        let died = dies_at(&ursa, "down --force --purge", at)?;
        nothing_is_left(&ursa, &bare, at)?;
        if !died {
            break;
        }
    }
    assert!(swept > 12, "too few for a front-end: {swept}");
    Ok(())
}

/// It is whole, and whoever looks for leftovers finds none.
fn comes_up(ursa: &Ursa) -> LabResult<()> {
    ursa.landbridge("up").expect_ok()?;
    assert_eq!(ursa.landbridge("plan").expect_ok()?, "nothing would change\n");
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}

/// Once more, and everything is as it was before the first.
fn nothing_is_left(ursa: &Ursa, bare: &Trace, at: usize) -> LabResult<()> {
    ursa.landbridge("down --force --purge").expect_ok()?;
    let left = Trace::of(&ursa.frontend)?.since(bare);
    assert!(left.is_empty(), "killed at {at}, this is left:\n{}", left.join("\n"));
    Ok(())
}

/// Each step of `up` is finished after one of its two moments and undone after the other: after the first moment of every
/// other step of a lab's, after the second of those between. A finished one is the occasion for both moments of `down`.
fn is_finished(at: usize) -> bool {
    let (step, moment) = (at / 2 / LABS, at % 2);
    step % 2 == moment
}

/// Runs a command that kills itself at a moment; `false` when it ended well before that moment came.
fn dies_at(ursa: &Ursa, words: &str, at: usize) -> LabResult<bool> {
    let end = ursa.landbridge(words).env(KILL_AT, &at.to_string()).output()?;
    assert!([0, KILLED].contains(&end.status), "{words} at {at}: {}{}", end.out(), end.err());
    Ok(end.status == KILLED)
}
