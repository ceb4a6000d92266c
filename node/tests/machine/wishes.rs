//! Resources as the tests want them.

use std::time::Duration;

use landbridge_node::machine::{Children, File, Input, Process, Readiness, Run};

use crate::scratch::Scratch;

/// A shell script that makes `made` in the world.
pub fn run(scratch: &Scratch, script: &str, inputs: Vec<Input>) -> Run {
    Run {
        name: "make".into(),
        argv: sh(script),
        env: vec![],
        directory: scratch.path(""),
        inputs,
        outputs: vec![scratch.path("made")],
        undo: vec![],
        holds: vec![],
        deadline: Duration::from_secs(5),
    }
}

/// A program that runs and does nothing.
pub fn sleeper(name: &str) -> Process {
    Process {
        name: name.into(),
        argv: vec!["sleep".into(), "1000".into()],
        env: vec![],
        restart_on: vec![],
        reload_on: vec![],
        ready: Readiness::Running,
        deadline: Duration::from_secs(5),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

/// A shell script that keeps running.
pub fn shell(name: &str, script: &str, ready: Readiness) -> Process {
    Process { argv: sh(script), ready, ..sleeper(name) }
}

/// The argv of a shell script.
pub fn sh(script: &str) -> Vec<String> {
    vec!["sh".into(), "-c".into(), script.into()]
}

/// What can't be made.
pub fn impossible() -> File {
    File::open("/nowhere/to/be/found", "x")
}
