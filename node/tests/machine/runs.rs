//! Commands that make files from files.

use std::fs;
use std::time::Duration;

use landbridge_node::machine::{Input, MachineSpec, Run};

use crate::scratch::{self, Scratch};
use crate::wishes::{impossible, run, sh};

#[tokio::test]
async fn a_run_runs_again_only_when_an_input_has_changed() {
    let scratch = Scratch::new();
    fs::write(scratch.path("in"), "1").unwrap();
    let spec = |text: &str| {
        let mut spec = MachineSpec::default();
        let inputs = vec![Input::Path(scratch.path("in")), Input::Text(text.into())];
        spec.push(run(&scratch, "echo x >> made; cat in", inputs));
        spec
    };
    let runs = || fs::read_to_string(scratch.path("made")).unwrap().lines().count();
    let mut machine = scratch.open().await;
    machine.converge(&spec("a")).await.unwrap();
    machine.converge(&spec("a")).await.unwrap();
    assert_eq!(runs(), 1);
    machine.converge(&spec("b")).await.unwrap();
    assert_eq!(runs(), 2);
    fs::write(scratch.path("in"), "2").unwrap();
    insta::assert_snapshot!(scratch.masked(&machine.plan(&spec("b")).await.unwrap()), @r"~ run make: /in changed");
    machine.converge(&spec("b")).await.unwrap();
    assert_eq!(runs(), 3);
    machine.tear_down().await.unwrap();
    assert!(!scratch.path("made").exists());
}

#[tokio::test]
async fn a_run_that_fails_tells_its_last_words_and_is_taken_back() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    let failing = run(&scratch, "touch made; echo 'no such map' >&2; exit 3", vec![]);
    spec.push(Run { undo: vec!["touch".into(), scratch.path("undone").display().to_string()], ..failing });
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch::chain(&error), @r#"
    + run make: sh -c "touch made; echo 'no such map' >&2; exit 3" failed; everything that this run had changed is as before
    - running make
    - sh ended with exit status: 3; its last words:
    no such map
    "#);
    assert!(!scratch.path("made").exists());
    assert!(scratch.path("undone").exists());
}

#[tokio::test]
async fn a_run_past_its_deadline_is_ended_with_its_children() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    let slow = run(&scratch, "sleep 1000 & sleep 1000", vec![]);
    spec.push(Run { deadline: Duration::from_millis(100), ..slow });
    let error = scratch::chain(&machine.converge(&spec).await.unwrap_err());
    assert!(error.contains("not done after 0.1 s"), "{error}");
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_behind_a_run_makes_its_outputs_from_the_old_inputs_again() {
    let scratch = Scratch::new();
    let spec = |text: &str| {
        let mut spec = MachineSpec::default();
        let conf = scratch.path("conf");
        spec.push(landbridge_node::machine::File::open(&conf, text)).push(run(
            &scratch,
            "cp conf made",
            vec![Input::Path(conf)],
        ));
        spec
    };
    let mut machine = scratch.open().await;
    machine.converge(&spec("one")).await.unwrap();
    let mut broken = spec("two");
    machine.converge(broken.push(impossible())).await.unwrap_err();
    assert_eq!(fs::read_to_string(scratch.path("made")).unwrap(), "one");
    assert!(machine.plan(&spec("one")).await.unwrap().is_empty());
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_nothing_running() {
    let scratch = Scratch::new();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(run(&scratch, "touch made; sleep 1000; true", vec![]));
    tokio::time::timeout(Duration::from_millis(100), machine.converge(&spec)).await.unwrap_err();
    machine.tear_down().await.unwrap();
    scratch.await_no_processes().await;
    assert_eq!(scratch.tree(), before);
}

#[tokio::test]
async fn an_output_that_was_there_before_the_first_run_stays() {
    let scratch = Scratch::new();
    fs::write(scratch.path("made"), "before").unwrap();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(Run { argv: sh("echo again >> made"), ..run(&scratch, "", vec![]) });
    machine.converge(&spec).await.unwrap();
    machine.tear_down().await.unwrap();
    assert!(scratch.path("made").exists());
}
