//! A lab that stays can be entered, and leaves nothing behind, however it ends.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A held lab; killed if the test fails.
struct Held {
    name: String,
    pid: Option<u32>,
}

impl Held {
    fn up(purpose: &str) -> Self {
        let name = format!("{purpose}-{}", std::process::id());
        let output = lab(&["up", "figure", "--name", &name]);
        assert!(output.status.success(), "{output:?}");
        let pid = netns_tests::hold::client::holder(&name).expect("the lab is up");
        Self { name, pid: Some(pid) }
    }

    fn kill(&mut self) {
        if let Some(pid) = self.pid.take() {
            signal(pid, "KILL");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_landbridge-lab")).args(arguments).output().expect("the program starts")
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.expect("kill starts").success());
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn people_enter_the_machines_of_a_held_lab_until_it_is_taken_down() {
    let mut held = Held::up("enter");
    let name = held.name.clone();
    let exec = |machine: &str, line: &str| lab(&["exec", "--name", &name, machine, "--", "sh", "-c", line]);

    assert_eq!(text(&exec("frontend", "hostname").stdout), "frontend\n");
    assert_eq!(text(&exec("w1", "uname -n").stdout), "w1\n");
    assert_eq!(exec("ursa01", "exit 5").status.code(), Some(5));
    let unknown = text(&exec("nobody", "true").stderr);
    assert!(unknown.contains("there is no machine named nobody; there are: frontend, ursa01"), "{unknown}");
    let list = text(&lab(&["list"]).stdout);
    let row = list.lines().find(|line| line.starts_with(&name)).expect("the lab is listed");
    for machine in ["frontend", "ursa01", "ursa02", "w1", "w2", "e1", "e2"] {
        assert!(row.split_whitespace().any(|word| word == machine), "{list}");
    }
    let again = lab(&["up", "figure", "--name", &name]);
    assert!(!again.status.success() && text(&again.stderr).contains("is up already"), "{again:?}");

    let before = Traces::of(held.pid.expect("it is held"));
    assert!(lab(&["down", "--name", &name]).status.success());
    held.pid = None;
    before.assert_gone();
    assert!(text(&lab(&["exec", "--name", &name, "w1", "--", "true"]).stderr).contains("no lab named"));
}

#[test]
fn a_shell_on_a_guest_has_a_terminal() {
    let held = Held::up("shell");
    // script(1) gives the command a terminal of its own, as a person has.
    let shell = format!("{} shell --name {} w1", env!("CARGO_BIN_EXE_landbridge-lab"), held.name);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &shell, "/dev/null"]).stdin(std::process::Stdio::piped());
    let mut script = script.stdout(std::process::Stdio::piped()).spawn().expect("script starts");
    let keys = "tty; echo on $(hostname); exit 4\n";
    std::io::Write::write_all(script.stdin.as_mut().expect("it has input"), keys.as_bytes()).expect("it reads");
    let output = script.wait_with_output().expect("it ends");
    let shown = text(&output.stdout);
    assert!(shown.contains("/dev/pts/") && shown.contains("on w1"), "{shown}");
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn nothing_is_left_after_the_holder_is_killed() {
    let names = names_of_this_machine();
    let mut held = Held::up("killed");
    let traces = Traces::of(held.pid.expect("it is held"));
    assert!(traces.processes.len() > 8, "seven machines are more processes than {}", traces.processes.len());
    assert!(traces.namespaces.len() > 16, "four kinds for seven machines are more than {:?}", traces.namespaces);

    held.kill();
    traces.assert_gone();
    assert_eq!(names_of_this_machine(), names);
    assert!(!lab(&["list"]).stdout.windows(held.name.len()).any(|part| part == held.name.as_bytes()));
}

/// What a lab consists of, as its processes show it.
struct Traces {
    processes: BTreeSet<u32>,
    namespaces: BTreeSet<String>,
}

impl Traces {
    /// The holder's and all of its descendants', but no namespace that we are in ourselves.
    fn of(holder: u32) -> Self {
        let mut processes = BTreeSet::from([holder]);
        loop {
            let children: Vec<_> =
                all_processes().filter(|&pid| parent(pid).is_some_and(|it| processes.contains(&it))).collect();
            let before = processes.len();
            processes.extend(children);
            if processes.len() == before {
                break;
            }
        }
        let own = namespaces_of(std::process::id());
        let namespaces = processes.iter().flat_map(|&pid| namespaces_of(pid)).filter(|ns| !own.contains(ns)).collect();
        Self { processes, namespaces }
    }

    /// Waits until none of the processes and nobody in (or holding) the namespaces is there any more.
    fn assert_gone(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left: {left:?}");
            // The end of somebody else's process can't be waited for without holding it.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn left(&self) -> Vec<String> {
        let mut left: Vec<_> =
            self.processes.iter().filter(|&&pid| is_alive(pid)).map(|pid| format!("process {pid}")).collect();
        for pid in all_processes() {
            let held = namespaces_of(pid).into_iter().chain(open_namespaces_of(pid));
            left.extend(held.filter(|ns| self.namespaces.contains(ns)).map(|ns| format!("{ns} of process {pid}")));
        }
        left
    }
}

/// Links, mounts, named namespaces and control files of this machine.
fn names_of_this_machine() -> Vec<String> {
    let list = |directory: &str| {
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path().display().to_string())
    };
    let mut names: Vec<_> =
        ["/sys/class/net", "/run/netns", "/root/.uml", "/run/landbridge-lab"].iter().flat_map(|at| list(at)).collect();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("/proc is mounted");
    names.extend(mounts.lines().filter(|line| line.contains("landbridge")).map(str::to_owned));
    names.sort();
    names
}

fn all_processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .expect("/proc is mounted")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: u32) -> Option<u32> {
    stat_field(pid, 1)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    stat_field(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

/// A field of /proc/PID/stat after the program's name, which may contain anything.
fn stat_field(pid: u32, index: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(index).map(str::to_owned)
}

fn namespaces_of(pid: u32) -> BTreeSet<String> {
    links_in(&format!("/proc/{pid}/ns"))
}

fn open_namespaces_of(pid: u32) -> BTreeSet<String> {
    links_in(&format!("/proc/{pid}/fd")).into_iter().filter(|target| target.starts_with("net:[")).collect()
}

fn links_in(directory: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string())).collect()
}
