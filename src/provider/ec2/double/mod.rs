//! A double of EC2 for what no server of others can play: it speaks the query protocol on loopback, keeps client tokens as the
//! API reference documents them, has room for so many instances, shows late what was made, and does to each request what a
//! test wishes: fault, silence, a lost answer.

mod actions;
mod form;
mod groups;
mod server;
mod world;
mod xml;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

pub(super) use actions::IMAGE;
pub(super) use form::Form;
pub(super) use world::World;

/// What happens to a request.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// It is done and answered, after so long.
    Late(Duration),
    /// The connection is cut before anything is done.
    Cut,
    /// It is done, and the connection is cut instead of an answer.
    DoneAndCut,
    /// It is done, and never answered.
    DoneAndSilent,
    /// It is done twice, as when something between repeats it; the second answer counts.
    Twice,
    /// It is refused with this code and HTTP status.
    Fault(&'static str, u16),
}

/// A running double. Dropped, it is gone.
pub(super) struct Double {
    endpoint: String,
    shared: Shared,
    server: JoinHandle<()>,
}

/// What the server and its test both hold.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    world: World,
    fates: VecDeque<(String, Fate)>,
    asked: Vec<Form>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Double {
    /// Starts one with an image, a network and nothing else.
    pub(super) async fn start() -> Self {
        let shared = Shared::default();
        let (endpoint, server) = server::start(shared.clone()).await;
        Self { endpoint, shared, server }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The next request of this action has that fate; several in the order in which they were wished.
    pub(super) fn next(&self, action: &str, fate: Fate) {
        self.shared.state().fates.push_back((action.to_owned(), fate));
    }

    /// Looks at the cloud, or changes it from outside.
    pub(super) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.state().world)
    }

    /// How often this was asked for.
    pub(super) fn asked(&self, action: &str) -> usize {
        self.shared.state().asked.iter().filter(|form| form.action() == action).count()
    }

    /// The last request of this action.
    pub(super) fn last(&self, action: &str) -> Form {
        let state = self.shared.state();
        let last = state.asked.iter().rev().find(|form| form.action() == action);
        last.unwrap_or_else(|| panic!("nobody asked for {action}")).clone()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.server.abort();
    }
}
