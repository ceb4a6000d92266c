//! A machine with several kinds of things.

use std::fs;

use landbridge_node::machine::{ConvergeError, Directory, File, Input, Machine, MachineSpec, OpenError};

use crate::scratch::Scratch;
use crate::wishes::{impossible, run, sleeper};

#[tokio::test]
async fn a_second_converge_changes_nothing_and_is_quick() {
    let scratch = Scratch::new();
    fs::write(scratch.path("hosts"), "127.0.0.1 localhost").unwrap();
    let mut spec = MachineSpec::default();
    spec.push(Directory { path: scratch.path("a/b"), mode: 0o750, owner: None })
        .push(File::open(scratch.path("a/b/conf"), "one\n"))
        .push(File::secret(scratch.path("a/b/key"), "hush"))
        .push(scratch.block("hosts", "10.77.0.1 front\n"))
        .push(run(&scratch, "cat a/b/conf > made", vec![Input::Path(scratch.path("a/b/conf"))]))
        .push(sleeper("sleeper"));
    let mut machine = scratch.open().await;
    let before = scratch.tree();
    insta::assert_snapshot!(scratch.masked(&machine.plan(&spec).await.unwrap()), @r#"
    + directory /a/b (0750)
    + file /a/b/conf (0644, 4 bytes)
    + file /a/b/key (0600, secret)
    + block block in /hosts
        - 127.0.0.1 localhost
        + 127.0.0.1 localhost
        + # landbridge: no newline at the end of the line above
        + # landbridge:OWNER:block begin
        + 10.77.0.1 front
        + # landbridge:OWNER:block end
    + run make: sh -c "cat a/b/conf > made"
    + process sleeper: sleep 1000
    "#);
    let first = machine.converge(&spec).await.unwrap();
    assert_eq!(first.done.len(), 6);
    let again = machine.converge(&spec).await.unwrap();
    assert_eq!(again.done, Vec::<String>::new());
    assert!(machine.plan(&spec).await.unwrap().is_empty());
    machine.tear_down().await.unwrap();
    assert!(machine.is_bare());
    assert_eq!(scratch.tree(), before);
}

#[tokio::test]
async fn a_failing_step_leaves_everything_as_it_was() {
    let scratch = Scratch::new();
    fs::write(scratch.path("hosts"), "127.0.0.1 localhost\n").unwrap();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(File::open(scratch.path("conf"), "x"))
        .push(scratch.block("hosts", "10.77.0.1 front\n"))
        .push(sleeper("sleeper"))
        .push(impossible());
    let error = machine.converge(&spec).await.unwrap_err();
    let ConvergeError::Step { undo, .. } = &error else { panic!("{error:?}") };
    assert!(undo.is_empty(), "{undo:?}");
    insta::assert_snapshot!(error, @r"+ file /nowhere/to/be/found (0644, 1 bytes) failed; everything that this run had changed is as before");
    assert_eq!(scratch.tree(), before);
    assert!(machine.is_bare());
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn every_conflict_is_told_before_anything_is_changed() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("taken")).unwrap();
    fs::write(scratch.path("damaged"), format!("# landbridge:{}:block end\n", scratch.owner())).unwrap();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(File::open(scratch.path("fine"), ""))
        .push(File::open(scratch.path("taken"), ""))
        .push(scratch.block("damaged", "x\n"))
        .push(Directory { path: scratch.path("d"), mode: 0o755, owner: Some("nobody-here".into()) });
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch.masked(&error), @r##"
    file /taken: something that is no file stands there; move it away
    block block in /damaged: line 1 is "# landbridge:OWNER:block end", but no begin stands before it; repair the marker lines by hand
    directory /d: /etc/passwd has no user nobody-here; install the package that brings it
    "##);
    assert_eq!(scratch.tree(), before);
}

#[tokio::test]
async fn extending_leaves_everything_else_of_ours_in_place() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let part = |name: &str| {
        let mut spec = MachineSpec::default();
        spec.push(File::open(scratch.path(name), name));
        spec
    };
    machine.extend(&part("a")).await.unwrap();
    assert_eq!(machine.extend(&part("b")).await.unwrap().done.len(), 1);
    assert_eq!(machine.extend(&part("b")).await.unwrap().done, Vec::<String>::new());
    assert_eq!(fs::read_to_string(scratch.path("a")).unwrap(), "a");
    machine.converge(&part("b")).await.unwrap();
    assert!(!scratch.path("a").exists(), "the whole wish is b alone");
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn what_does_not_stay_as_it_was_made_is_drift() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(File::open(scratch.path("conf"), "ours\n")).push(run(&scratch, "touch made; echo theirs > conf", vec![]));
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch.masked(&error), @r"
    done, but it does not stay so; this is still to do:
    ~ file /conf: changed
        - theirs
        + ours
    ");
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_second_one_that_opens_the_machine_is_refused() {
    let scratch = Scratch::new();
    let first = scratch.open().await;
    let refused = Machine::open(scratch.place()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Lock(_)), "{refused}");
    drop(first);
    scratch.open().await;
}

#[tokio::test]
async fn a_bare_machine_can_be_vacated_and_opened_again() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(File::open(scratch.path("conf"), "")).push(sleeper("sleeper"));
    machine.converge(&spec).await.unwrap();
    let refused = crate::scratch::chain(&machine.vacate().unwrap_err());
    assert!(refused.contains("is still ours; tear down first"), "{refused}");
    let mut machine = scratch.open().await;
    machine.tear_down().await.unwrap();
    machine.vacate().unwrap();
    assert_eq!(scratch.engine_files(), [scratch.root().join("log/sleeper.log")]);
    assert!(scratch.open().await.is_bare());
}
