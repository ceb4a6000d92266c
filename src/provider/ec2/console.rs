//! What an instance wrote to its serial console.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Answer;
use super::{Ec2, Launch, ProviderError};

/// The most that is handed on, in bytes.
const MOST: usize = 64 * 1024;

impl Ec2 {
    /// Of the launch's instance; `None` when there is none, or nothing was written.
    pub(super) async fn read_console(&self, launch: &Launch) -> Result<Option<String>, ProviderError> {
        let Some(found) = self.of_launch(launch).await?.pop() else { return Ok(None) };
        let newest = self.ask_for_console(&found.id, true).await;
        // Only instances on EC2's newer hypervisor show their console as it is now.
        let output = match newest {
            Err(answer) if answer.is("UnsupportedOperation") || answer.is("InvalidParameterCombination") => {
                self.ask_for_console(&found.id, false).await
            }
            other => other,
        };
        match output {
            Err(answer) if answer.is("InvalidInstanceID.NotFound") => Ok(None),
            other => other.map_err(|answer| self.unanswered("reading the console", &launch.worker, answer)),
        }
    }

    async fn ask_for_console(&self, id: &str, latest: bool) -> Result<Option<String>, Answer> {
        let asked = self.client.get_console_output().instance_id(id).set_latest(latest.then_some(true));
        Ok(asked.send().await?.output().and_then(text))
    }
}

/// The end of a console, from base64.
fn text(encoded: &str) -> Option<String> {
    let bytes = STANDARD.decode(encoded.split_ascii_whitespace().collect::<String>()).ok()?;
    let end = &bytes[bytes.len().saturating_sub(MOST)..];
    (!end.is_empty()).then(|| String::from_utf8_lossy(end).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_console_is_kept_and_an_empty_one_is_none() {
        assert_eq!(text(&STANDARD.encode("login:")).as_deref(), Some("login:"));
        assert_eq!(text(""), None);
        let long = text(&STANDARD.encode("x".repeat(MOST) + "end")).expect("a console");
        assert!(long.len() == MOST && long.ends_with("end"));
    }
}
