//! The front-end's bootstrap: `up`, what strangers see of it, and `down`.

use netns_tests::LabResult;
use netns_tests::ursa::Ursa;

#[test]
fn up_makes_a_front_end_that_strangers_find_and_the_second_up_changes_nothing() -> LabResult<()> {
    let ursa = Ursa::draw("up")?;
    let first = ursa.landbridge("up").expect_ok()?;
    println!("{first}");
    let again = ursa.landbridge("up").expect_ok()?;
    assert_eq!(again, "ursa is up; nothing had to change\n");
    let status = ursa.landbridge("status").expect_ok()?;
    println!("{status}");
    Ok(())
}
