//! Network namespaces and programs that live no longer than the test, however it ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, gettid};

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace: a thread in it, whose end is the namespace's too.
pub(crate) struct Netns {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    tid: Pid,
}

impl Netns {
    /// A new namespace with its loopback up. Needs root.
    pub(crate) fn new() -> Self {
        let (jobs, received) = channel::<Job>();
        let (born, birth) = channel();
        let thread = thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace: are you root?");
            born.send(gettid()).expect("the test waits for us");
            for job in received {
                job();
            }
        });
        let tid = birth.recv().expect("the namespace's thread lives");
        let this = Self { jobs: Some(jobs), thread: Some(thread), tid };
        this.ip("link set dev lo up");
        this
    }

    /// Runs `job` in the namespace. Sockets that it opens belong to the namespace for good.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel();
        let job = Box::new(move || drop(done.send(job())));
        self.jobs.as_ref().expect("there until dropped").send(job).expect("the namespace's thread lives");
        result.recv().expect("the job doesn't panic")
    }

    /// Runs a program to its end, with its arguments separated by blanks; whether it succeeded, and what it said.
    pub(crate) fn output(&self, line: &str) -> (bool, String) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        self.run(move || {
            let output = Command::new(&words[0]).args(&words[1..]).output();
            let output = output.unwrap_or_else(|e| panic!("{} can't be run ({e}): is it installed?", words[0]));
            let said = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&said).into_owned())
        })
    }

    /// Runs `ip`, which must succeed.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        let (success, said) = self.output(&format!("ip {arguments}"));
        assert!(success, "ip {arguments}: {said}");
        said
    }

    /// A pair of linked NICs: `here` in this namespace, `there` in the other one.
    pub(crate) fn link(&self, here: &str, other: &Self, there: &str) {
        self.ip(&format!("link add name {here} type veth peer name {there} netns {}", other.tid));
    }

    /// Starts a program, which is killed when the result is dropped, or when the test dies.
    pub(crate) fn spawn(&self, argv: Vec<String>) -> Program {
        let child = self.run(move || {
            // The kernel's own guard: the signal comes when the thread that started the program, ours, is gone.
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).args(&argv);
            command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            command.spawn().unwrap_or_else(|e| panic!("setpriv can't be run ({e}): is util-linux installed?"))
        });
        Program::new(child)
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A running program and what it has said so far.
pub(crate) struct Program {
    child: Child,
    said: Arc<(Mutex<String>, Condvar)>,
}

impl Program {
    fn new(mut child: Child) -> Self {
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                heard.0.lock().expect("nobody panics with it").push_str(&(line + "\n"));
                heard.1.notify_all();
            }
        });
        Self { child, said }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has said.
    pub(crate) fn said(&self) -> String {
        self.said.0.lock().expect("nobody panics with it").clone()
    }

    /// Waits until it has said `text`, at most 20 s.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Waits until it has said `text` so many times, at most 20 s.
    pub(crate) fn wait_for_times(&self, text: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut said = self.said.0.lock().expect("nobody panics with it");
        while said.matches(text).count() < times {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text:?} was not said {times} times. Said so far:\n{said}");
            said = self.said.1.wait_timeout(said, left).expect("nobody panics with it").0;
        }
    }

    /// Asks it to end, as the service's stop does, and waits for that.
    pub(crate) fn terminate(mut self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        nix::sys::signal::kill(pid, nix::sys::signal::SIGTERM).expect("it runs");
        self.child.wait().expect("a child of ours");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
