//! The last stage: a job ran here and left its word, which goes back to the front-end; the front-end says whether it was its own.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::reporter::deliver;
use super::stages;
use crate::api::Client;
use crate::machine::{Directory, MachineSpec, Residue, Watch};
use crate::wire::{CANARY_WORD, Failure, Orders, Stage, StageNews};
use crate::words;

/// Before another question after one that failed.
const PAUSE: Duration = Duration::from_millis(250);
/// Whom the queue runs canaries as.
const CANARY_USER: &str = "nobody";

/// Where the job leaves its word.
pub(super) fn resources() -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(Directory { path: folder().into(), mode: 0o700, owner: Some(CANARY_USER.into()) });
    spec.push(Residue { path: CANARY_WORD.into() });
    spec
}

fn folder() -> &'static Path {
    Path::new(CANARY_WORD).parent().expect("a file in a directory")
}

/// Waits for the front-end's verdict, which may stand in its `first` orders already.
pub(super) async fn prove(client: &Client, first: Option<Orders>, until: Instant) -> Result<(), Failure> {
    let expected = "a job of the front-end's to run here and say so";
    let verdict = timeout_at(until, verdict(client, first)).await;
    verdict.unwrap_or_else(|_| Err(words::too_late(expected, stages::deadline(Stage::Canary))))
}

/// Carries each word that a job leaves, for ever; why it can't. From the moment when the queue may start one: the other services
/// may take longer than the job. The word of an earlier join may still be there, and a job may have been quicker than we: what
/// stands there goes too. It goes by a client of its own, whose connection is there before it: a round trip less for everybody.
/// `begun` is called before each: the daemon that runs jobs is whole, and people's will come when the front-end knows.
pub(super) async fn listen(client: Client, begun: impl Fn()) -> Failure {
    match carry_all(&client, begun).await {
        Ok(never) => match never {},
        Err(error) => words::local(&format!("to read {CANARY_WORD}"), &error),
    }
}

async fn carry_all(client: &Client, begun: impl Fn()) -> io::Result<Infallible> {
    let watch = Watch::of(folder())?;
    // A front-end that can't be reached now will be tried again with the word.
    let _ = client.contact().await;
    let mut last = String::new();
    loop {
        let word = std::fs::read_to_string(CANARY_WORD).unwrap_or_default();
        if word.ends_with('\n') && word != last {
            let news = StageNews { stages: Vec::new(), word: Some(word.trim_end().to_owned()) };
            begun();
            deliver(client, &news).await;
            last = word;
        }
        watch.changed().await?;
    }
}

async fn verdict(client: &Client, first: Option<Orders>) -> Result<(), Failure> {
    let mut after = first.as_ref().map_or(0, |orders| orders.generation);
    let mut news = first.map(Ok);
    loop {
        let orders = match news.take() {
            Some(orders) => orders,
            None => client.orders(after).await,
        };
        match orders {
            Ok(orders) => match orders.canary {
                Some(verdict) => return verdict,
                None => after = orders.generation,
            },
            Err(error) if error.is_passing() => sleep(PAUSE).await,
            Err(error) => return Err(words::contact(&error, None)),
        }
    }
}
