//! Hearing of the end of a process of ours when it comes.

use tokio::task::JoinSet;

use super::StepError;
use super::kinds::process::Instance;
use super::place::Place;

/// The processes that ran when this was asked for; hears of the end of each, without polling.
#[derive(Debug)]
pub struct Exits(JoinSet<String>);

impl Exits {
    pub(super) fn of<'a>(place: &Place, names: impl Iterator<Item = &'a str>) -> Result<Self, StepError> {
        let mut set = JoinSet::new();
        for name in names {
            let record = place.process(name);
            let process = match Instance::running(&record)? {
                Some(instance) => instance.open().map_err(StepError::io("watching the process of", &record))?,
                None => None,
            };
            let name = name.to_owned();
            set.spawn(async move {
                if let Some(process) = process {
                    process.exited().await;
                }
                name
            });
        }
        Ok(Self(set))
    }

    /// The name of the next process that has ended, one that had ended before included; waits for ever when there is none
    /// left. May be dropped and called again.
    pub async fn next(&mut self) -> String {
        match self.0.join_next().await {
            Some(Ok(name)) => name,
            _ => std::future::pending().await,
        }
    }
}
