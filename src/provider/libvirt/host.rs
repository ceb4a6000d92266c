//! One thread a host: libvirt's calls block, and a host is asked one thing after another.

use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::oneshot;
use virt::connect::Connect;

use super::error::unreachable;
use crate::provider::{Accelerated, ProviderError};

/// How long anything may take: making a disk on a slow host, above all.
const PATIENCE: Duration = Duration::from_mins(3);

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// A host, asked through its thread. The thread ends with this value.
pub(super) struct Host {
    uri: String,
    jobs: mpsc::Sender<Job>,
}

/// What the thread keeps between two questions.
pub(super) struct Session {
    uri: String,
    connect: Option<Connect>,
    /// How machines run there, once that was found out.
    pub(super) accelerated: Option<Accelerated>,
}

impl Host {
    /// Starts the thread. The host is reached when it is asked something.
    pub(super) fn new(uri: &str) -> Self {
        // libvirt would print every error to standard error.
        virt::error::clear_error_callback();
        let (jobs, waiting) = mpsc::channel::<Job>();
        let mut session = Session { uri: uri.to_owned(), connect: None, accelerated: None };
        let work = move || waiting.into_iter().for_each(|job| job(&mut session));
        // Without a thread nobody takes jobs, and every question is told so.
        if let Err(error) = std::thread::Builder::new().name("libvirt".into()).spawn(work) {
            tracing::error!(%error, uri, "a thread for the host could not be started");
        }
        Self { uri: uri.to_owned(), jobs }
    }

    /// Asks when everything that was asked before is answered.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |session| {
            // Nobody listens any more when the asker's patience ended first.
            let _ = answer.send(question(session));
        });
        let gone = || unreachable(&self.uri, "the thread that speaks to it has ended".into());
        self.jobs.send(job).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => Err(unreachable(&self.uri, format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

impl Session {
    /// The connection, made anew when it broke.
    pub(super) fn connect(&mut self) -> Result<Connect, ProviderError> {
        let alive = self.connect.as_ref().is_some_and(|connect| connect.is_alive().unwrap_or(false));
        if !alive {
            let opened = Connect::open(Some(&self.uri));
            self.connect = Some(opened.map_err(|error| unreachable(&self.uri, error.message().to_owned()))?);
        }
        self.connect.clone().ok_or_else(|| unreachable(&self.uri, "no connection".into()))
    }
}
