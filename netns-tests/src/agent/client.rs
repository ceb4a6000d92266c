//! The lab's side of the conversation with a machine's agent.

use std::collections::HashMap;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::message::{Envelope, Event, Request, RequestId, receive, send};

/// A line to an agent. Clones share it.
#[derive(Clone)]
pub(crate) struct AgentClient {
    shared: Arc<Shared>,
}

struct Shared {
    line: Mutex<UnixStream>,
    next: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often an agent has said hello: each boot does so once.
    hellos: u64,
    /// Nobody is at the other end (any more).
    gone: bool,
    waiting: HashMap<RequestId, Sender<Event>>,
}

/// The answer to one request as it comes in.
pub(crate) struct Answer {
    events: Receiver<Event>,
    request: OpenRequest,
}

/// A request that more can be said about. Clones are the same request.
#[derive(Clone)]
pub(crate) struct OpenRequest {
    id: RequestId,
    agent: AgentClient,
}

impl AgentClient {
    /// Takes over the line and starts to listen.
    pub(crate) fn start(line: UnixStream) -> io::Result<Self> {
        let reader = BufReader::new(line.try_clone()?);
        let shared = Shared {
            line: Mutex::new(line),
            next: AtomicU64::new(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let client = Self { shared: Arc::new(shared) };
        let listening = client.clone();
        std::thread::spawn(move || listening.listen(reader));
        Ok(client)
    }

    /// Announces that an agent is being started at the other end; gives what [`AgentClient::wait_for_hello`] needs.
    pub(crate) fn expect_hello(&self) -> u64 {
        let mut state = self.lock();
        state.gone = false;
        state.hellos
    }

    /// Waits until an agent has said hello more often than `before`. False if it went, or the time ran out.
    pub(crate) fn wait_for_hello(&self, before: u64, until: Instant) -> bool {
        self.wait_while(until, |state| state.hellos <= before && !state.gone).hellos > before
    }

    /// Waits until nobody is at the other end. False if the time ran out.
    pub(crate) fn wait_until_gone(&self, until: Instant) -> bool {
        self.wait_while(until, |state| !state.gone).gone
    }

    fn wait_while(&self, until: Instant, waiting: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let left = until.saturating_duration_since(Instant::now());
        let result = self.shared.changed.wait_timeout_while(self.lock(), left, |state| waiting(state));
        result.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Notes that the agent is gone, and with it every answer that is waited for.
    pub(crate) fn note_gone(&self) {
        let mut state = self.lock();
        state.gone = true;
        state.waiting.clear();
        self.shared.changed.notify_all();
    }

    /// Sends a request.
    pub(crate) fn ask(&self, request: Request) -> io::Result<Answer> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, events) = channel();
        let mut state = self.lock();
        if state.gone {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the machine is gone"));
        }
        state.waiting.insert(id, sender);
        drop(state);
        self.say(id, request)?;
        Ok(Answer { events, request: OpenRequest { id, agent: self.clone() } })
    }

    fn say(&self, id: RequestId, body: Request) -> io::Result<()> {
        let mut line = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner);
        send(&mut *line, &Envelope { id, body })
    }

    /// Closes the line; a namespace machine ends itself then.
    pub(crate) fn close(&self) {
        let line = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner);
        // An error means that the other side has closed it already.
        let _ = line.shutdown(std::net::Shutdown::Both);
    }

    fn listen(&self, mut reader: BufReader<UnixStream>) {
        while let Ok(Some(Envelope { id, body })) = receive(&mut reader) {
            let mut state = self.lock();
            if matches!(body, Event::Hello) {
                state.hellos += 1;
                self.shared.changed.notify_all();
            } else if body.is_last() {
                state.waiting.remove(&id).map(|sender| sender.send(body));
            } else if let Some(sender) = state.waiting.get(&id) {
                let _ = sender.send(body);
            }
        }
        self.note_gone();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why no event came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoEvent {
    /// The time ran out.
    Deadline,
    /// The machine is gone.
    Gone,
}

impl Answer {
    /// The next event of the answer.
    pub(crate) fn next(&self, until: Option<Instant>) -> Result<Event, NoEvent> {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
        self.events.recv_timeout(left).map_err(|err| match err {
            Timeout => NoEvent::Deadline,
            Disconnected => NoEvent::Gone,
        })
    }

    /// The request that this answers.
    pub(crate) fn request(&self) -> &OpenRequest {
        &self.request
    }
}

impl OpenRequest {
    /// Says more about the request: input, a signal, a new size.
    pub(crate) fn add(&self, request: Request) -> io::Result<()> {
        self.agent.say(self.id, request)
    }
}
