//! The stages of a join, as both sides name them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a canary job leaves the word that the front-end gave it, on the worker.
pub const CANARY_WORD: &str = "/run/landbridge-canary/word";

/// A stage of the journey from a token to a ready worker, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The front-end's API was reached and proved to be the token's.
    Contact,
    /// A key was made here; a certificate and the bundle came back.
    Identity,
    /// The tunnel is up, or the NIC is on the bridge.
    Link,
    /// The worker has its address and the front-end answers over the vLAN.
    Address,
    /// A packet of the vLAN's MTU went to the front-end and back, unfragmented.
    Mtu,
    /// Every export is mounted, and told its size.
    Nfs,
    /// `ypbind` is bound and a user was looked up.
    Nis,
    /// The execution daemon runs and the queue master knows the host.
    Queue,
    /// A job ran here and said so.
    Canary,
}

impl Stage {
    /// Every stage in order.
    pub const ALL: [Self; 9] = [
        Self::Contact,
        Self::Identity,
        Self::Link,
        Self::Address,
        Self::Mtu,
        Self::Nfs,
        Self::Nis,
        Self::Queue,
        Self::Canary,
    ];

    /// The stage's word in lists and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Identity => "identity",
            Self::Link => "link",
            Self::Address => "address",
            Self::Mtu => "mtu",
            Self::Nfs => "nfs",
            Self::Nis => "nis",
            Self::Queue => "queue",
            Self::Canary => "canary",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What went wrong, for a person: what was expected, what was seen, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What should have happened.
    #[serde(deserialize_with = "super::plain::text")]
    pub expected: String,
    /// What happened.
    #[serde(deserialize_with = "super::plain::text")]
    pub seen: String,
    /// What to do about it.
    #[serde(deserialize_with = "super::plain::text")]
    pub remedy: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}; saw {}", self.expected, self.seen)
    }
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Proved.
    Passed,
    /// The cluster has no such service.
    NotNeeded,
    /// Not proved before its deadline.
    Failed(Failure),
}

/// A worker's word about one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// Which stage.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
    /// From the join's start to the stage's start, in milliseconds.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What a worker has to say of its join since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageNews {
    /// The stages that have ended, in that order.
    pub stages: Vec<StageReport>,
    /// What a canary job has left here ([`CANARY_WORD`]). It may come before the last of the worker's own stages.
    #[serde(default)]
    pub word: Option<String>,
}
