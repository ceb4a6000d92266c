//! Asking the daemon.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CliError, Context};
use crate::daemon::LocalError;

/// A connection to the daemon's local API.
pub(super) struct Client {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    socket: std::path::PathBuf,
}

impl Client {
    pub(super) fn new(context: &Context) -> Result<Self, CliError> {
        let socket = context.paths.socket();
        let http = reqwest::Client::builder()
            .unix_socket(socket.clone())
            // Preparing the front-end for a worker may rebuild maps and talk to the queue master.
            .timeout(Duration::from_mins(2))
            .build()
            .map_err(|source| CliError::Http { socket: socket.clone(), source })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { http, runtime, socket })
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.ask(self.http.get(url(path)))
    }

    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CliError> {
        self.ask(self.http.post(url(path)).json(body))
    }

    pub(super) fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.ask(self.http.delete(url(path)))
    }

    fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, CliError> {
        let failed = |source: reqwest::Error| {
            if source.is_connect() {
                CliError::NoDaemon { socket: self.socket.clone() }
            } else {
                CliError::Http { socket: self.socket.clone(), source }
            }
        };
        self.runtime.block_on(async {
            let response = request.send().await.map_err(failed)?;
            if response.status().is_success() {
                return response.json().await.map_err(failed);
            }
            let refusal: LocalError = response.json().await.map_err(failed)?;
            Err(CliError::Refused(refusal.message))
        })
    }
}

/// The host part is not looked at on a unix socket.
fn url(path: &str) -> String {
    format!("http://landbridge{path}")
}
