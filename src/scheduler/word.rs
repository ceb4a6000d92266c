//! What a canary job leaves on its worker: only the queue brings it there.

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Notify;

/// A word for one job, and whether it has come back from its worker.
#[derive(Debug)]
pub struct Word {
    text: String,
    back: Notify,
}

impl Word {
    /// One that nobody has used before, and nobody can guess.
    pub fn new() -> Self {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).expect("the kernel's random numbers");
        Self { text: format!("{:032x}", u128::from_ne_bytes(bytes)), back: Notify::new() }
    }

    /// As the job has it: hexadecimal digits.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Something came back from the worker.
    pub fn hear(&self, text: &str) {
        if text == self.text {
            self.back.notify_one();
        }
    }

    /// Waits until the word has come back.
    pub async fn heard(&self) {
        self.back.notified().await;
    }
}

impl Default for Word {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_very_word_is_heard_also_before_anybody_listens() {
        let (word, other) = (Word::new(), Word::new());
        word.hear(other.text());
        assert!(tokio::time::timeout(Duration::from_secs(1), word.heard()).await.is_err());
        word.hear(word.text());
        word.heard().await;
    }
}
