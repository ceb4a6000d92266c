//! A machine, converged for real: files in temporary directories, real processes, real mounts in a namespace of its own.
#![allow(clippy::unwrap_used, missing_docs)]

mod scratch;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use landbridge_node::machine::{
    Block, ConvergeError, Directory, File, Input, MachineSpec, Process, Readiness, Residue, Run,
};
use scratch::Scratch;

fn run(scratch: &Scratch, script: &str, inputs: Vec<Input>) -> Run {
    Run {
        name: "make".into(),
        argv: vec!["sh".into(), "-c".into(), script.into()],
        env: vec![],
        directory: scratch.path(""),
        inputs,
        outputs: vec![scratch.path("made")],
        undo: vec![],
        deadline: Duration::from_secs(5),
    }
}

fn sleeper(name: &str) -> Process {
    Process {
        name: name.into(),
        argv: vec!["sleep".into(), "1000".into()],
        env: vec![],
        restart_on: vec![],
        reload_on: vec![],
        ready: Readiness::Running,
        deadline: Duration::from_secs(5),
    }
}

fn shell(name: &str, script: &str, ready: Readiness) -> Process {
    Process { argv: vec!["sh".into(), "-c".into(), script.into()], ready, ..sleeper(name) }
}

fn missing() -> File {
    File::open("/nowhere/to/be/found", "x")
}

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
async fn a_plan_shows_old_and_new_but_no_secret() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let spec = |text: &str, secret: &str| {
        let mut spec = MachineSpec::default();
        spec.push(File::open(scratch.path("conf"), text)).push(File::secret(scratch.path("key"), secret));
        spec
    };
    machine.converge(&spec("a\nb\nc\n", "hush")).await.unwrap();
    let plan = machine.plan(&spec("a\nB\nc\n", "hush hush")).await.unwrap();
    insta::assert_snapshot!(scratch.masked(&plan), @r"
    ~ file /conf: changed
        - b
        + B
    ~ file /key: changed
    ");
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_file_of_others_is_given_back_with_mode_and_time() {
    let scratch = Scratch::new();
    let path = scratch.path("conf");
    fs::write(&path, "theirs").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = (scratch.tree(), fs::metadata(&path).unwrap().modified().unwrap());
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    machine.converge(spec.push(File::open(&path, "ours"))).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
    machine.tear_down().await.unwrap();
    assert_eq!((scratch.tree(), fs::metadata(&path).unwrap().modified().unwrap()), before);
}

#[tokio::test]
async fn drift_in_content_and_mode_is_repaired() {
    let scratch = Scratch::new();
    let path = scratch.path("key");
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(File::secret(&path, "hush"));
    machine.converge(&spec).await.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(machine.converge(&spec).await.unwrap().done.len(), 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "other").unwrap();
    machine.converge(&spec).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "hush");
    machine.tear_down().await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_directory_that_holds_somebody_elses_things_stays_and_is_reported() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(Directory { path: scratch.path("home"), mode: 0o755, owner: None });
    machine.converge(&spec).await.unwrap();
    fs::write(scratch.path("home/thesis"), "years of work").unwrap();
    let report = machine.tear_down().await.unwrap();
    assert_eq!(report.notes, [format!("left {}: it holds thesis", scratch.path("home").display())]);
    assert!(scratch.path("home/thesis").exists());
}

#[tokio::test]
async fn residue_of_programs_goes_and_what_stood_before_stays() {
    let scratch = Scratch::new();
    fs::write(scratch.path("old"), "").unwrap();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(Residue { path: scratch.path("spool") }).push(Residue { path: scratch.path("old") });
    machine.converge(&spec).await.unwrap();
    fs::create_dir_all(scratch.path("spool/deep")).unwrap();
    machine.tear_down().await.unwrap();
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
        .push(missing());
    let error = machine.converge(&spec).await.unwrap_err();
    let ConvergeError::Step { undo, .. } = &error else { panic!("{error:?}") };
    assert!(undo.is_empty(), "{undo:?}");
    insta::assert_snapshot!(error, @r"+ file /nowhere/to/be/found (0644, 1 bytes) failed; everything that this run had changed is as before");
    assert_eq!(scratch.tree(), before);
    assert!(machine.is_bare());
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failing_update_brings_back_the_process_with_its_old_configuration() {
    let scratch = Scratch::new();
    let conf = scratch.path("conf");
    let script = format!("cat {}; exec sleep 1000", conf.display());
    let spec = |text: &str| {
        let mut spec = MachineSpec::default();
        let process = shell("reader", &script, Readiness::Log(text.into()));
        spec.push(File::open(&conf, format!("{text}\n"))).push(Process { restart_on: vec![conf.clone()], ..process });
        spec
    };
    let mut machine = scratch.open().await;
    machine.converge(&spec("one")).await.unwrap();
    let mut broken = spec("two");
    machine.converge(broken.push(missing())).await.unwrap_err();
    assert_eq!(scratch.log("reader"), "one\ntwo\none\n");
    assert!(machine.plan(&spec("one")).await.unwrap().is_empty());
    assert_eq!(scratch.processes().len(), 1);
    machine.tear_down().await.unwrap();
}

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
async fn a_process_outlives_the_machine_that_started_it_and_is_started_once() {
    let scratch = Scratch::new();
    let mut spec = MachineSpec::default();
    spec.push(sleeper("sleeper"));
    let mut machine = scratch.open().await;
    machine.converge(&spec).await.unwrap();
    let started = scratch.processes();
    assert_eq!(started.len(), 1);
    drop(machine);
    let mut machine = scratch.open().await;
    assert!(machine.converge(&spec).await.unwrap().done.is_empty());
    assert_eq!(scratch.processes(), started);
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_process_whose_record_was_lost_is_not_started_beside_itself() {
    let scratch = Scratch::new();
    let mut spec = MachineSpec::default();
    spec.push(sleeper("sleeper"));
    let mut machine = scratch.open().await;
    machine.converge(&spec).await.unwrap();
    fs::remove_file(scratch.run().join("sleeper.process")).unwrap();
    machine.converge(&spec).await.unwrap();
    assert_eq!(scratch.processes().len(), 1);
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_process_has_a_clean_environment_a_session_of_its_own_and_no_input() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    let script =
        "env | sort; test \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$ && echo leads; cat; echo ready; exec sleep 1000";
    let process = shell("env", script, Readiness::Log("ready".into()));
    spec.push(Process { env: vec![("TOLD".into(), "yes".into())], ..process });
    machine.converge(&spec).await.unwrap();
    let log: Vec<_> = scratch.log("env").lines().map(str::to_owned).filter(|line| !line.starts_with("PWD=")).collect();
    let expected = format!(
        "LANDBRIDGE_PROCESS={}:process env\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTOLD=yes\nleads\nready",
        scratch.owner()
    );
    assert_eq!(log.join("\n"), expected);
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_process_is_ready_when_its_socket_answers() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let (tcp, unix) = (scratch::free_port(), scratch.path("socket"));
    let listen = |what: &str| format!("import socket,time; {what}; s.listen(); time.sleep(1000)");
    let python = |name: &str, code: String, ready| Process {
        argv: vec!["python3".into(), "-c".into(), code],
        ready,
        ..sleeper(name)
    };
    let bind_tcp = listen(&format!("s=socket.socket(); s.bind(('127.0.0.1',{}))", tcp.port()));
    let bind_unix = listen(&format!("s=socket.socket(socket.AF_UNIX); s.bind('{}')", unix.display()));
    let mut spec = MachineSpec::default();
    spec.push(python("tcp", bind_tcp, Readiness::Tcp(tcp)))
        .push(python("unix", bind_unix, Readiness::Unix(unix.clone())))
        .push(Residue { path: unix });
    machine.converge(&spec).await.unwrap();
    std::net::TcpStream::connect(tcp).unwrap();
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_process_that_ends_before_it_is_ready_is_told_at_once_with_its_last_words() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(shell("broken", "echo 'bad option' >&2; exit 1", Readiness::Log("ready".into())));
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch::chain(&error), @r#"
    + process broken: sh -c "echo 'bad option' >&2; exit 1" failed; everything that this run had changed is as before
    - starting the process broken
    - sh ended before it was ready; its last words:
    bad option
    "#);
}

#[tokio::test]
async fn a_process_that_is_not_ready_in_time_is_ended() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    let process = shell("late", "echo thinking; exec sleep 1000", Readiness::Log("ready".into()));
    spec.push(Process { deadline: Duration::from_millis(200), ..process });
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch::chain(&error), @r#"
    + process late: sh -c "echo thinking; exec sleep 1000" failed; everything that this run had changed is as before
    - starting the process late
    - not done after 0.2 s; its last words:
    thinking
    "#);
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_program_that_is_not_installed_is_named() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(Process { argv: vec!["no-such-program".into()], ..sleeper("absent") });
    let error = machine.converge(&spec).await.unwrap_err();
    insta::assert_snapshot!(scratch::chain(&error), @r"
    + process absent: no-such-program failed; everything that this run had changed is as before
    - starting the process absent
    - there is no program no-such-program; install the package that brings it
    ");
}

#[tokio::test]
async fn changed_files_restart_or_reload_a_process() {
    let scratch = Scratch::new();
    let (hard, soft) = (scratch.path("hard"), scratch.path("soft"));
    let spec = |hard_text: &str, soft_text: &str| {
        let mut spec = MachineSpec::default();
        let script = "trap 'echo reloaded' HUP; echo started; while :; do sleep 1000 & wait; done";
        let process = shell("daemon", script, Readiness::Log("started".into()));
        spec.push(File::open(&hard, hard_text)).push(File::open(&soft, soft_text)).push(Process {
            restart_on: vec![hard.clone()],
            reload_on: vec![soft.clone()],
            ..process
        });
        spec
    };
    let mut machine = scratch.open().await;
    machine.converge(&spec("1", "1")).await.unwrap();
    let first = machine.converge(&spec("1", "2")).await.unwrap().done;
    assert!(first[1].contains("reload"), "{first:?}");
    scratch.await_log("daemon", "started\nreloaded\n").await;
    let second = machine.converge(&spec("2", "2")).await.unwrap().done;
    assert!(second[1].contains("restart"), "{second:?}");
    scratch.await_log("daemon", "started\nreloaded\nstarted\n").await;
    assert!(machine.plan(&spec("2", "2")).await.unwrap().is_empty());
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn the_end_of_a_process_is_heard_of_and_repaired() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(sleeper("one")).push(sleeper("two"));
    machine.converge(&spec).await.unwrap();
    let mut exits = machine.exits().unwrap();
    scratch.kill("two");
    assert_eq!(exits.next().await, "two");
    assert_eq!(machine.converge(&spec).await.unwrap().done, ["+ process two: sleep 1000 (it has ended)"]);
    assert_eq!(scratch.processes().len(), 2);
    machine.tear_down().await.unwrap();
}

#[tokio::test]
async fn blocks_of_one_file_come_and_go_one_by_one() {
    let scratch = Scratch::new();
    let before = scratch.tree();
    let block = |name: &str, text: &str| Block { name: name.into(), ..scratch.block("fresh", text) };
    let mut machine = scratch.open().await;
    let mut both = MachineSpec::default();
    both.push(block("one", "1\n")).push(block("two", "2\n"));
    machine.converge(&both).await.unwrap();
    let mut second = MachineSpec::default();
    second.push(block("two", "2\n"));
    machine.converge(&second).await.unwrap();
    let tag = format!("# landbridge:{}:two", scratch.owner());
    assert_eq!(fs::read_to_string(scratch.path("fresh")).unwrap(), format!("{tag} begin\n2\n{tag} end\n"));
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.tree(), before);
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
