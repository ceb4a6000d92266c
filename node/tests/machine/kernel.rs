//! Mounts and links, on the real kernel, in namespaces that go with the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::scratch::{Scratch, in_namespaces};
use landbridge_fabric::{LinkKind, LinkSpec, Mtu, Network};
use landbridge_node::machine::{File, MachineSpec, Mount, Owner, Sysctl, SysctlValue};

fn tmpfs(scratch: &Scratch, options: &str) -> Mount {
    Mount {
        source: "scratch".into(),
        also: vec![],
        target: scratch.path("mnt/deep"),
        fstype: "tmpfs".into(),
        options: options.into(),
        deadline: Duration::from_secs(2),
    }
}

fn spec(resource: impl Into<landbridge_node::machine::Resource>) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(resource);
    spec
}

fn ran(argv: &[&str]) -> String {
    let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn mounts(scratch: &Scratch) -> Vec<String> {
    let root = scratch.root().display().to_string();
    let text = fs::read_to_string("/proc/thread-self/mounts").unwrap();
    text.lines().filter(|line| line.contains(&root)).map(|line| line.replace(&root, "")).collect()
}

#[test]
fn a_mount_comes_with_its_directories_and_goes_with_them() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let before = scratch.tree();
        let mut machine = scratch.open().await;
        machine.converge(&spec(tmpfs(&scratch, "size=1m"))).await.unwrap();
        assert_eq!(mounts(&scratch).len(), 1);
        assert!(machine.converge(&spec(tmpfs(&scratch, "size=1m"))).await.unwrap().done.is_empty());
        machine.tear_down().await.unwrap();
        assert_eq!(mounts(&scratch), Vec::<String>::new());
        assert_eq!(scratch.tree(), before);
    });
}

#[test]
fn other_options_mount_anew_and_a_failure_brings_the_old_ones_back() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        machine.converge(&spec(tmpfs(&scratch, "size=1m"))).await.unwrap();
        let mut broken = spec(tmpfs(&scratch, "size=2m"));
        broken.push(File::open("/no/such/directory/file", ""));
        machine.converge(&broken).await.unwrap_err();
        assert!(mounts(&scratch)[0].contains("size=1024k"), "{:?}", mounts(&scratch));
        let done = machine.converge(&spec(tmpfs(&scratch, "size=2m"))).await.unwrap().done;
        insta::assert_snapshot!(scratch.masked(&done[0]), @"~ mount /mnt/deep: scratch (tmpfs, size=1m) => scratch (tmpfs, size=2m)");
        assert_eq!(mounts(&scratch).len(), 1);
        assert!(mounts(&scratch)[0].contains("size=2048k"), "{:?}", mounts(&scratch));
        machine.tear_down().await.unwrap();
    });
}

#[test]
fn a_mount_that_somebody_took_away_is_made_again() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let wanted = spec(tmpfs(&scratch, ""));
        let mut machine = scratch.open().await;
        machine.converge(&wanted).await.unwrap();
        ran(&["umount", &scratch.path("mnt/deep").display().to_string()]);
        assert_eq!(machine.converge(&wanted).await.unwrap().done.len(), 1);
        assert_eq!(mounts(&scratch).len(), 1);
        machine.tear_down().await.unwrap();
        assert!(!scratch.path("mnt").exists());
    });
}

#[test]
fn a_mount_of_somebody_else_is_a_conflict_and_stays() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        fs::create_dir_all(scratch.path("mnt/deep")).unwrap();
        ran(&["mount", "-t", "tmpfs", "theirs", &scratch.path("mnt/deep").display().to_string()]);
        let before = mounts(&scratch);
        let mut machine = scratch.open().await;
        let error = machine.converge(&spec(tmpfs(&scratch, ""))).await.unwrap_err();
        insta::assert_snapshot!(scratch.masked(&error), @"mount /mnt/deep: theirs (tmpfs) is mounted there, and not by us; unmount it first");
        assert_eq!(mounts(&scratch), before);
        ran(&["umount", &scratch.path("mnt/deep").display().to_string()]);
    });
}

#[test]
fn a_busy_mount_is_unmounted_lazily_and_that_is_told() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        let wanted = Mount { deadline: Duration::from_millis(300), ..tmpfs(&scratch, "") };
        machine.converge(&spec(wanted)).await.unwrap();
        let open = fs::File::create(scratch.path("mnt/deep/open")).unwrap();
        let report = machine.tear_down().await.unwrap();
        drop(open);
        assert!(report.notes[0].contains("unmounted lazily"), "{:?}", report.notes);
        assert_eq!(mounts(&scratch), Vec::<String>::new());
    });
}

#[test]
fn a_mount_that_is_refused_says_why_in_the_words_of_mount() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let before = scratch.tree();
        let mut machine = scratch.open().await;
        let wanted = Mount { fstype: "nosuchfs".into(), ..tmpfs(&scratch, "") };
        let error = crate::scratch::chain(&machine.converge(&spec(wanted)).await.unwrap_err());
        assert!(error.contains("special device scratch does not exist"), "{error}");
        assert_eq!(scratch.tree(), before);
    });
}

#[test]
fn a_block_in_a_file_that_is_a_mount_point_is_written_in_place() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        fs::write(scratch.path("inside"), "127.0.0.1 localhost").unwrap();
        fs::write(scratch.path("hosts"), "covered").unwrap();
        let (inside, hosts) =
            (scratch.path("inside").display().to_string(), scratch.path("hosts").display().to_string());
        ran(&["mount", "--bind", &inside, &hosts]);
        let mut machine = scratch.open().await;
        machine.converge(&spec(scratch.block("hosts", "10.77.0.1 front\n"))).await.unwrap();
        assert!(fs::read_to_string(&hosts).unwrap().contains("10.77.0.1 front\n"));
        machine.tear_down().await.unwrap();
        assert_eq!(fs::read_to_string(&hosts).unwrap(), "127.0.0.1 localhost");
        ran(&["umount", &hosts]);
    });
}

fn network(owner: &str, mtu: u32) -> Network {
    let link = |kind, controller: Option<&str>, addresses: &[&str]| LinkSpec {
        kind,
        mtu: Mtu::new(mtu).unwrap(),
        controller: controller.map(|name| name.parse().unwrap()),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect::<BTreeSet<_>>(),
    };
    let links = BTreeMap::from([
        ("lbbr-test".parse().unwrap(), link(LinkKind::Bridge, None, &["10.77.0.1/16"])),
        ("lbt0-test".parse().unwrap(), link(LinkKind::Tap, Some("lbbr-test"), &[])),
    ]);
    Network { owner: Owner(owner.into()), links }
}

/// Every link's name, MTU, controller and tag. Its carrier comes and goes by itself.
fn links() -> Vec<String> {
    let shown = ran(&["ip", "-o", "link", "show"]);
    let worth = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let told = words.windows(2).filter(|pair| ["mtu", "master", "alias"].contains(&pair[0]));
        told.fold(words[1].to_owned(), |text, pair| format!("{text} {}", pair.join(" ")))
    };
    shown.lines().map(worth).collect()
}

#[test]
fn a_network_is_one_step_whose_lines_are_shown() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let before = links();
        let wanted = spec(network(scratch.owner(), 1500));
        let mut machine = scratch.open().await;
        let plan = machine.plan(&wanted).await.unwrap().to_string();
        assert!(plan.starts_with("+ network links and addresses: "), "{plan}");
        assert!(plan.contains("lbt0-test"), "{plan}");
        machine.converge(&wanted).await.unwrap();
        assert!(ran(&["ip", "-o", "-4", "addr", "show", "lbbr-test"]).contains("10.77.0.1/16"));
        assert!(ran(&["ip", "-o", "link", "show", "lbt0-test"]).contains("master lbbr-test"));
        assert!(machine.converge(&wanted).await.unwrap().done.is_empty());
        machine.tear_down().await.unwrap();
        assert_eq!(links(), before);
    });
}

#[test]
fn a_failing_step_behind_the_network_brings_the_old_network_back() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        machine.converge(&spec(network(scratch.owner(), 1500))).await.unwrap();
        let before = links();
        let mut broken = spec(network(scratch.owner(), 9000));
        broken.push(File::open("/no/such/directory/file", ""));
        machine.converge(&broken).await.unwrap_err();
        assert_eq!(links(), before);
        assert!(machine.plan(&spec(network(scratch.owner(), 1500))).await.unwrap().is_empty());
        machine.tear_down().await.unwrap();
        assert_eq!(links().len(), 1, "{:?}", links());
    });
}

#[test]
fn a_link_of_somebody_else_is_a_conflict_before_anything_is_changed() {
    in_namespaces(async || {
        let scratch = Scratch::new();
        ran(&["ip", "link", "add", "lbbr-test", "type", "bridge"]);
        let before = (scratch.tree(), links());
        let mut machine = scratch.open().await;
        let mut wanted = spec(File::open(scratch.path("conf"), ""));
        wanted.push(network(scratch.owner(), 1500));
        let error = machine.converge(&wanted).await.unwrap_err().to_string();
        assert!(error.contains("lbbr-test is there already"), "{error}");
        assert_eq!((scratch.tree(), links()), before);
    });
}

#[test]
fn a_kernel_parameter_is_given_back_unless_somebody_else_has_set_it_since() {
    in_namespaces(async || {
        const NAME: &str = "/proc/sys/net/ipv4/tcp_slow_start_after_idle";
        let value = || fs::read_to_string(NAME).unwrap().trim().to_owned();
        let wish = |value: &str| {
            let value = SysctlValue::Exactly(value.into());
            spec(Sysctl { name: "net.ipv4.tcp_slow_start_after_idle".into(), value })
        };
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        assert_eq!(machine.converge(&wish("1")).await.unwrap().done, Vec::<String>::new(), "it was so before us");

        let done = machine.converge(&wish("0")).await.unwrap().done;
        insta::assert_snapshot!(done[0], @"~ sysctl net.ipv4.tcp_slow_start_after_idle: 1 => 0");
        assert_eq!(value(), "0");
        machine.tear_down().await.unwrap();
        assert_eq!(value(), "1");

        machine.converge(&wish("0")).await.unwrap();
        let mut broken = MachineSpec::default();
        broken.push(File::open("/no/such/directory/file", ""));
        machine.converge(&broken).await.unwrap_err();
        assert_eq!(value(), "0", "what failed was undone");

        let value_of_none = SysctlValue::AtLeast(1);
        let unknown = spec(Sysctl { name: "net.ipv4.no_such_parameter".into(), value: value_of_none });
        let done = machine.converge(&unknown).await.unwrap().done;
        assert_eq!(done, ["~ sysctl net.ipv4.tcp_slow_start_after_idle: 0 => 1"]);

        machine.converge(&wish("0")).await.unwrap();
        fs::write(NAME, "2").unwrap();
        let report = machine.tear_down().await.unwrap();
        assert_eq!(value(), "2");
        insta::assert_snapshot!(report.notes.join("\n"), @"net.ipv4.tcp_slow_start_after_idle was set to 2 by somebody else, and stays so");
    });
}

#[test]
fn a_kernel_parameter_that_is_larger_than_it_must_be_stays() {
    in_namespaces(async || {
        const NAME: &str = "/proc/sys/net/ipv4/tcp_min_tso_segs";
        let wish = |least| {
            let value = SysctlValue::AtLeast(least);
            spec(Sysctl { name: "net.ipv4.tcp_min_tso_segs".into(), value })
        };
        fs::write(NAME, "2").unwrap();
        let scratch = Scratch::new();
        let mut machine = scratch.open().await;
        machine.converge(&wish(4)).await.unwrap();
        fs::write(NAME, "8").unwrap();
        assert_eq!(machine.converge(&wish(4)).await.unwrap().done, Vec::<String>::new());
        machine.converge(&wish(9)).await.unwrap();
        machine.tear_down().await.unwrap();
        assert_eq!(fs::read_to_string(NAME).unwrap(), "2\n");
    });
}
