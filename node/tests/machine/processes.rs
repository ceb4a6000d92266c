//! Programs that keep running.

use std::fs;
use std::process::Command;
use std::time::Duration;

use landbridge_node::machine::{Children, File, MachineSpec, Process, Readiness, Residue, schedule_as_usual};

use crate::scratch::{self, Scratch};
use crate::wishes::{impossible, shell, sleeper};

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
    machine.converge(broken.push(impossible())).await.unwrap_err();
    assert_eq!(scratch.log("reader"), "one\ntwo\none\n");
    assert!(machine.plan(&spec("one")).await.unwrap().is_empty());
    assert_eq!(scratch.processes().len(), 1);
    machine.tear_down().await.unwrap();
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
async fn what_starts_as_batch_work_is_so_with_its_children_until_it_is_scheduled_as_usual() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    // The policies of the shell and of a child of it, now and when it is told to look again: proc_pid_stat(5), field 41.
    let script = "look() { for of in $$ self; do cut -d ' ' -f 41 /proc/$of/stat; done; echo told; }
                  trap 'look; exit' HUP; look; while :; do sleep 0.1; done";
    let started = Process { starts_as_batch: true, ..shell("worker", script, Readiness::Log("told".into())) };
    let go = scratch.path("go");
    spec.push(File::open(&go, "no")).push(Process { reload_on: vec![go.clone()], ..started.clone() });
    machine.converge(&spec).await.unwrap();
    let (batch, usual) = ("3\n3\ntold\n", "0\n0\ntold\n");
    assert_eq!(scratch.log("worker"), batch);
    schedule_as_usual(machine.place(), "worker").unwrap();
    let mut spec = MachineSpec::default();
    spec.push(File::open(&go, "yes")).push(Process { reload_on: vec![go], ..started });
    let mut exits = machine.exits().unwrap();
    machine.converge(&spec).await.unwrap();
    exits.next().await;
    assert_eq!(scratch.log("worker"), format!("{batch}{usual}"));
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
async fn children_of_a_program_that_died_end_before_it_is_started_anew_or_go_on() {
    for (children, left) in [(Children::End, 1), (Children::GoOn, 2)] {
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        let script = "sleep 4321 & echo ready; exec sleep 1000";
        let mut spec = MachineSpec::default();
        spec.push(Process { children, ..shell("parent", script, Readiness::Log("ready".into())) });
        machine.converge(&spec).await.unwrap();
        let mut exits = machine.exits().unwrap();
        scratch.kill("parent");
        assert_eq!(exits.next().await, "parent");
        machine.converge(&spec).await.unwrap();
        let running = |what: &str| scratch.processes().iter().filter(|line| line.ends_with(what)).count();
        assert_eq!((running("sleep 1000"), running("sleep 4321")), (1, left), "{:?}", scratch.processes());

        // A start that fails is no reason either.
        let first = scratch.processes().into_iter().find(|line| line.ends_with("sleep 4321")).unwrap();
        let mut broken = MachineSpec::default();
        let never = shell("parent", "exec sleep 1000", Readiness::Log("ready".into()));
        broken.push(Process { children, deadline: Duration::from_millis(200), ..never });
        machine.converge(&broken).await.unwrap_err();
        assert_eq!(scratch.processes().contains(&first), children == Children::GoOn);
        machine.tear_down().await.unwrap();
        assert_eq!(scratch.processes(), Vec::<String>::new(), "of those that went on too");
    }
}

#[tokio::test]
async fn a_program_that_will_not_end_is_made_to() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    let script = "trap 'echo no' TERM; echo ready; while :; do sleep 1000 & wait; done";
    let stubborn = shell("stubborn", script, Readiness::Log("ready".into()));
    spec.push(Process { deadline: Duration::from_millis(500), ..stubborn });
    machine.converge(&spec).await.unwrap();
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.log("stubborn"), "ready\nno\n");
    assert_eq!(scratch.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stranger_with_the_process_id_of_ours_is_left_alone() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(sleeper("sleeper"));
    machine.converge(&spec).await.unwrap();
    scratch.kill("sleeper");
    scratch.await_no_processes().await;
    let mut stranger = Command::new("sleep").arg("1000").spawn().unwrap();
    let path = scratch.run().join("sleeper.process");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["identity"]["pid"] = stranger.id().into();
    // An id comes round again after more than the clock tick in which both may have started here.
    record["identity"]["start"] = (record["identity"]["start"].as_u64().unwrap() - 1).into();
    fs::write(&path, record.to_string()).unwrap();
    assert_eq!(machine.plan(&spec).await.unwrap().to_string(), "+ process sleeper: sleep 1000 (it has ended)\n");
    machine.tear_down().await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_socket_on_which_somebody_else_answers_is_not_taken_for_ours() {
    let scratch = Scratch::new();
    let theirs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    spec.push(Process { ready: Readiness::Tcp(theirs.local_addr().unwrap()), ..sleeper("sleeper") });
    let error = scratch::chain(&machine.converge(&spec).await.unwrap_err());
    assert!(error.contains("a program that is not ours answers at 127.0.0.1"), "{error}");
}
