//! The lab's side of the conversation with a machine's agent.

use std::collections::HashMap;
use std::io::{self, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::message::{Envelope, Event, Request, RequestId, encode, receive};

/// A line to an agent. Clones share it.
#[derive(Clone)]
pub(crate) struct AgentClient {
    shared: Arc<Shared>,
}

/// How much may be on the line that the other side has not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Whatever the kernel takes.
    Free,
    /// Less than the input buffer of a terminal (4096 bytes): a guest's serial line that was once full takes no more input,
    /// for ever. Its agent reports what it has read.
    Serial,
}

/// On a paced line: the most that is written at once, and the most that may be unread.
const CHUNK_BYTES: usize = 1024;
const UNREAD_BYTES: usize = 3 * CHUNK_BYTES;

struct Shared {
    line: Mutex<UnixStream>,
    pace: Pace,
    next: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    peer: Peer,
    /// Bytes on a paced line that have not been read.
    unread: usize,
    waiting: HashMap<RequestId, Sender<Event>>,
}

/// Who is at the other end of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Peer {
    /// An agent that is being started.
    #[default]
    Starting,
    /// An agent that has said hello.
    Up,
    /// Nobody any more.
    Gone,
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
    pub(crate) fn start(line: UnixStream, pace: Pace) -> io::Result<Self> {
        let reader = BufReader::new(line.try_clone()?);
        let shared = Shared {
            line: Mutex::new(line),
            pace,
            next: AtomicU64::new(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let client = Self { shared: Arc::new(shared) };
        let listening = client.clone();
        std::thread::spawn(move || listening.listen(reader));
        Ok(client)
    }

    /// Announces that an agent is being started at the other end.
    pub(crate) fn expect_hello(&self) {
        let mut state = self.lock();
        state.peer = Peer::Starting;
        state.unread = 0;
    }

    /// Waits until the agent has said hello. False if it went, or the time ran out.
    pub(crate) fn wait_for_hello(&self, until: Instant) -> bool {
        self.wait_while(until, |state| state.peer == Peer::Starting).peer == Peer::Up
    }

    /// Waits until nobody is at the other end. False if the time ran out.
    pub(crate) fn wait_until_gone(&self, until: Instant) -> bool {
        self.wait_while(until, |state| state.peer != Peer::Gone).peer == Peer::Gone
    }

    fn wait_while(&self, until: Instant, waiting: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let left = until.saturating_duration_since(Instant::now());
        let result = self.shared.changed.wait_timeout_while(self.lock(), left, |state| waiting(state));
        result.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Notes that the agent is gone, and with it every answer that is waited for.
    pub(crate) fn note_gone(&self) {
        let mut state = self.lock();
        state.peer = Peer::Gone;
        state.waiting.clear();
        self.shared.changed.notify_all();
    }

    /// Sends a request.
    pub(crate) fn ask(&self, request: Request) -> io::Result<Answer> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, events) = channel();
        let mut state = self.lock();
        if state.peer != Peer::Up {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the machine is gone"));
        }
        state.waiting.insert(id, sender);
        drop(state);
        self.say(id, request)?;
        Ok(Answer { events, request: OpenRequest { id, agent: self.clone() } })
    }

    fn say(&self, id: RequestId, body: Request) -> io::Result<()> {
        let message = encode(&Envelope { id, body })?;
        let mut line = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner);
        match self.shared.pace {
            Pace::Free => line.write_all(&message),
            Pace::Serial => message.chunks(CHUNK_BYTES).try_for_each(|chunk| {
                self.wait_for_room(chunk.len())?;
                line.write_all(chunk)
            }),
        }
    }

    /// Waits until so many bytes more may be on the line, and counts them as there.
    fn wait_for_room(&self, bytes: usize) -> io::Result<()> {
        let full = |state: &mut State| state.peer == Peer::Up && state.unread + bytes > UNREAD_BYTES;
        let mut state = self.shared.changed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        state.unread += bytes;
        if state.peer == Peer::Up { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
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
            match body {
                Event::Hello => state.peer = Peer::Up,
                Event::Received(bytes) => state.unread = state.unread.saturating_sub(bytes),
                last if last.is_last() => {
                    state.waiting.remove(&id).map(|sender| sender.send(last));
                    continue;
                }
                other => {
                    state.waiting.get(&id).map(|sender| sender.send(other));
                    continue;
                }
            }
            self.shared.changed.notify_all();
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
