//! A fresh network namespace for a test, which goes with its thread, also when the test panics.

use std::future::Future;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

/// Runs `test` in a network namespace of its own. Needs root.
///
/// The namespace lives as long as the thread and the sockets opened in it, and nothing of it is ever visible outside.
pub fn in_namespace<F>(test: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let body = move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("these tests make network namespaces: run them as root");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(test());
    };
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a command in the thread's namespace and returns what it prints; it must succeed.
pub fn run(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("`{line}` can't be run: {error}; install iproute2"));
    assert!(output.status.success(), "`{line}`: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The same, for a command that prints JSON.
pub fn run_json(line: &str) -> serde_json::Value {
    let text = run(line);
    serde_json::from_str(if text.trim().is_empty() { "[]" } else { &text }).unwrap_or_else(|e| panic!("`{line}`: {e}"))
}
