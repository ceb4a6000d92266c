//! Many workers join at the same moment.

use std::error::Error;

use netns_tests::scenario::{Crowd, join_at_once};

#[test]
fn workers_that_join_at_once_are_all_ready() -> Result<(), Box<dyn Error + Send + Sync>> {
    let count = std::env::var("AT_ONCE").ok().and_then(|count| count.parse().ok()).unwrap_or(12);
    let arrivals = join_at_once("at-once", Crowd { guests: 1, light: count - 1 })?;
    let mut times = Vec::new();
    for arrival in &arrivals {
        times.push(arrival.ready.clone().map_err(|said| format!("{}: {said}", arrival.name))?);
    }
    times.sort();
    assert_eq!(times.len(), count);
    println!("first {:.2?}, median {:.2?}, last {:.2?}", times[0], times[count / 2], times[count - 1]);
    Ok(())
}
