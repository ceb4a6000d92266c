//! Files, blocks and directories.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use landbridge_node::machine::{Block, Directory, File, MachineSpec, Residue};

use crate::scratch::Scratch;

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
async fn a_link_of_others_is_given_back_as_a_link() {
    let scratch = Scratch::new();
    symlink("stub-resolv.conf", scratch.path("resolv.conf")).unwrap();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    machine.converge(spec.push(File::open(scratch.path("resolv.conf"), "nameserver 10.77.0.1\n"))).await.unwrap();
    assert!(fs::symlink_metadata(scratch.path("resolv.conf")).unwrap().is_file());
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.tree(), before);
}

#[tokio::test]
async fn a_block_behind_a_link_edits_the_file_and_leaves_the_link() {
    let scratch = Scratch::new();
    fs::write(scratch.path("real"), "theirs\n").unwrap();
    symlink("real", scratch.path("hosts")).unwrap();
    let before = scratch.tree();
    let mut machine = scratch.open().await;
    let mut spec = MachineSpec::default();
    machine.converge(spec.push(scratch.block("hosts", "ours\n"))).await.unwrap();
    assert!(fs::read_to_string(scratch.path("real")).unwrap().contains("ours\n"));
    machine.tear_down().await.unwrap();
    assert_eq!(scratch.tree(), before);
}

#[tokio::test]
async fn secrets_are_only_in_files_that_root_alone_can_read() {
    let scratch = Scratch::new();
    let mut machine = scratch.open().await;
    for secret in ["first hush", "second hush"] {
        let mut spec = MachineSpec::default();
        spec.push(File::secret(scratch.path("key"), secret)).push(Residue { path: scratch.path("other") });
        machine.converge(&spec).await.unwrap();
    }
    let mut broken = MachineSpec::default();
    broken.push(File::secret(scratch.path("key"), "third hush")).push(crate::wishes::impossible());
    machine.converge(&broken).await.unwrap_err();
    let holds = |path: &std::path::Path| fs::read(path).unwrap().windows(4).any(|part| part == b"hush");
    let files = scratch.engine_files();
    assert!(files.iter().any(|path| path.ends_with("state/ledger")), "{files:?}");
    for path in files {
        let private = fs::metadata(&path).unwrap().permissions().mode() & 0o777 == 0o600;
        assert!(!holds(&path) || (private && path.to_str().unwrap().contains("state/kept/")), "{path:?}");
    }
    machine.tear_down().await.unwrap();
}
