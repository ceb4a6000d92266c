use std::io::Read as _;
use std::process::Command;

use super::*;

fn seed() -> Seed {
    Seed {
        user_data: "#cloud-config\n".repeat(1000),
        meta_data: "instance-id: lb-ursa-w1-7-1\n".into(),
        network_config: Some("version: 2\n".into()),
    }
}

#[test]
fn what_was_written_is_read_back() {
    let disk = image(&seed());
    let volume = FileSystem::new(Cursor::new(disk), FsOptions::new()).expect("a file system");
    assert_eq!(volume.volume_label(), "CIDATA");
    let read = |name: &str| {
        let mut text = String::new();
        volume.root_dir().open_file(name).expect(name).read_to_string(&mut text).expect(name);
        text
    };
    assert_eq!(read("user-data"), seed().user_data);
    assert_eq!(read("meta-data"), seed().meta_data);
    assert_eq!(read("network-config"), "version: 2\n");
}

#[test]
fn the_same_seed_is_the_same_disk() {
    assert_eq!(image(&seed()), image(&seed()));
}

/// Strangers as judges: what udev knows labels by, and another reader of FAT.
#[test]
fn blkid_and_mtools_see_what_cloud_init_looks_for() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), image(&Seed { network_config: None, ..seed() })).expect("writing");
    let ask = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(file.path()).output();
        let output = output.unwrap_or_else(|e| panic!("{program}: {e}; run scripts/setup"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(ask("blkid", &["-p", "-o", "value", "-s", "LABEL"]), "CIDATA");
    assert_eq!(ask("blkid", &["-p", "-o", "value", "-s", "TYPE"]), "vfat");
    assert_eq!(ask("mdir", &["-b", "-i"]), "::/user-data\n::/meta-data");
    ask("fsck.fat", &["-n"]);
}
