//! The provider asks real programs: shell scripts that tests write.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::provider::{self, Accelerated, FailureKind, Left, MachineState};

/// A driver whose body is this shell script.
fn driver(script: &str) -> (TempDir, DriverProvider) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("driver");
    fs::write(&path, format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display())).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to be run");
    let host = NodeName::new("ursa01").expect("a name");
    let provider = DriverProvider::new(path, launch().cluster, host);
    (folder, provider)
}

fn order() -> Order {
    provider::example("w1", 7)
}

fn launch() -> Launch {
    order().launch
}

const RUNNING: &str = r#"{"id":"dom-9","launch":{"worker":"w1","worker_id":7,"attempt":1},"state":"running"}"#;

#[tokio::test]
async fn a_machine_is_asked_for_on_standard_input_and_never_in_the_arguments() {
    let (folder, provider) = driver(&format!("echo \"$@\" > arguments; cat > request; echo '{RUNNING}'"));
    let machine = provider.provision(&order()).await.expect("a machine");
    assert_eq!((machine.id.0.as_str(), machine.state), ("dom-9", MachineState::Running));
    assert_eq!(machine.launch, launch());
    assert_eq!(fs::read_to_string(folder.path().join("arguments")).expect("arguments"), "provision\n");
    let request = fs::read_to_string(folder.path().join("request")).expect("a request");
    let request: serde_json::Value = serde_json::from_str(&request).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&request).expect("JSON"));
}

#[tokio::test]
async fn what_a_driver_lists_offers_and_reads_arrives() {
    let (_folder, provider) = driver(&format!(
        r#"case $1 in
        offer) echo '{{"cpu":800,"memory_mib":8192,"emulated":"no /dev/kvm","description":"user-mode-linux"}}' ;;
        list) echo '{{"machines":[{RUNNING}],"leftovers":[{{"kind":"seed","id":"s1","worker_id":7,"worker":"w1"}}]}}' ;;
        console) echo '{{"console":"booting"}}' ;;
        *) echo '{{}}' ;;
        esac"#
    ));
    let offered = provider.offered().await.expect("an offer");
    assert_eq!(offered.accelerated, Accelerated::Emulated("no /dev/kvm".into()));
    assert_eq!(provider.machines().await.expect("a list").len(), 1);
    let leftovers = provider.leftovers().await.expect("a list");
    assert_eq!(leftovers[0].id, "s1");
    assert_eq!(provider.console(&launch()).await.expect("a console").as_deref(), Some("booting"));
    provider.destroy(&launch()).await.expect("destroyed");
    provider.remove(&leftovers[0]).await.expect("removed");
}

#[tokio::test]
async fn a_refusal_keeps_the_drivers_own_words_and_what_it_left() {
    let (_folder, provider) =
        driver(r#"echo '{"kind":"full","left":"nothing","seen":"no memory left","remedy":"free some"}'; exit 1"#);
    let error = provider.provision(&order()).await.expect_err("full");
    assert_eq!(error.to_string(), "making the machine of w1 on ursa01 failed: no memory left");
    assert_eq!((error.kind, error.left, error.remedy.as_str()), (FailureKind::Full, Left::Nothing, "free some"));
}

#[tokio::test]
async fn a_driver_that_dies_or_talks_nonsense_leaves_nobody_knows_what() {
    for script in
        ["echo oops >&2; exit 3", "exit 3", "echo nonsense", "echo '{}'", "kill -9 $$", "yes | head -c 3000000"]
    {
        let (_folder, provider) = driver(script);
        let error = provider.provision(&order()).await.expect_err(script);
        assert_eq!(error.left, Left::Unknown, "{script}: {error}");
    }
}

#[tokio::test]
async fn a_driver_that_is_not_there_did_nothing() {
    let host = NodeName::new("ursa01").expect("a name");
    let provider = DriverProvider::new("/nonexistent/driver".into(), launch().cluster, host);
    let error = provider.provision(&order()).await.expect_err("no driver");
    assert_eq!((error.kind, error.left), (FailureKind::Refused, Left::Nothing));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_never_answers_is_ended_and_its_children_with_it() {
    let (folder, provider) = driver("sleep 1000 & echo $! > child; echo $$ > pid; wait");
    let error = provider.provision(&order()).await.expect_err("no answer");
    assert!(error.seen.contains("no answer within 120 s"), "{error}");
    for file in ["pid", "child"] {
        // Time is not ours here: it may have been ended before it had written that down.
        let Ok(pid) = fs::read_to_string(folder.path().join(file)) else { continue };
        let gone = || !std::path::Path::new(&format!("/proc/{}/cwd", pid.trim())).exists();
        assert!(
            (0..500).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                gone()
            }),
            "{file} {pid} lives on"
        );
    }
}
