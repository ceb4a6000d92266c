use std::process::Command;

use super::super::disks::{self, drives};
use super::super::domain::{Definition, domain};
use super::*;
use crate::template::{DiskFormat, Nic, Os};

fn rendered(template: &WorkerTemplate, kind: Kind) -> String {
    let launch = launch("w1", 7);
    let pool = Path::new("/var/lib/libvirt/images/landbridge-ursa");
    let drives = drives(&launch, &template.disks, kind, Path::new("/var/lib/libvirt/images"));
    let definition = Definition {
        launch: &launch,
        template,
        kind,
        pool,
        drives: &drives,
        bridge: "lbbr-ursa",
        mac: Mac::of([10, 77, 1, 5].into()),
    };
    domain(&definition).to_string()
}

/// libvirt's schema is the judge.
fn validate(xml: &str, schema: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), xml).expect("writing");
    let output = Command::new("virt-xml-validate").arg(file.path()).arg(schema).output();
    let output = output.expect("virt-xml-validate: run scripts/setup");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{xml}");
}

/// The template that this software began with.
fn sge_workernode() -> WorkerTemplate {
    let target = |name: &str| Some(name.to_owned());
    let disks = vec![
        Disk { target: target("sda"), ..image(Path::new("/imges/sge/workernode.img")) },
        Disk { target: target("sdb"), ..image(Path::new("/imges/sge/workernode.swap")) },
    ];
    let os = Os {
        kernel: Some("/vmlinuz".into()),
        initrd: Some("/initrd.img".into()),
        root: Some("sda1".into()),
        ..Os::default()
    };
    let nics = vec![Nic { bridge: Some("eth0".into()), ..Nic::default() }];
    WorkerTemplate { os: Some(os), nics, cpu: Cpu(100), memory_mib: 128, ..template(disks) }
}

#[test]
fn the_template_of_2008_as_an_emulated_machine() {
    let xml = rendered(&sge_workernode(), Kind::Emulated);
    validate(&xml, "domain");
    insta::assert_snapshot!(xml);
}

#[test]
fn the_template_of_2008_as_a_para_virtual_machine_of_xen() {
    let xml = rendered(&sge_workernode(), Kind::Xen);
    validate(&xml, "domain");
    insta::assert_snapshot!(xml);
}

#[test]
fn a_machine_with_kvm_and_disks_of_every_kind() {
    let base = Disk { read_only: true, format: Some(DiskFormat::Qcow2), ..image(Path::new("data & tools.qcow2")) };
    let disks =
        vec![image(Path::new("debian-12.qcow2")), disk(DiskSource::Swap(512)), disk(DiskSource::Empty(10)), base];
    let nics = vec![Nic::default(), Nic { bridge: Some("br1".into()), model: Some("e1000".into()), ..Nic::default() }];
    let xml = rendered(&WorkerTemplate { nics, memory_mib: 4096, ..template(disks) }, Kind::Kvm);
    validate(&xml, "domain");
    insta::assert_snapshot!(xml);
}

#[test]
fn a_machine_of_xen_that_starts_from_its_own_disk() {
    let xml = rendered(&template(vec![image(Path::new("debian-12.img"))]), Kind::Xen);
    validate(&xml, "domain");
    assert!(xml.contains("<bootloader>pygrub</bootloader>"), "{xml}");
}

#[test]
fn volumes_and_the_probe_are_well_formed_too() {
    let overlay = disks::volume("lb-ursa-w1-7-1.disk0", None, Some((Path::new("/images/a&b.img"), "raw")));
    let xml = overlay.to_string();
    assert!(xml.contains("<path>/images/a&amp;b.img</path>"), "{xml}");
    validate(&disks::volume("lb-ursa-w1-7-1.seed", Some(1 << 20), None).to_string(), "storagevol");
    validate(&probe::guest("landbridge-ursa", Path::new("/images"), Kind::Kvm).to_string(), "domain");
}

#[test]
fn a_new_swap_space_is_one() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let bytes = 16 << 20;
    std::fs::write(file.path(), disks::swap_header(bytes)).expect("writing");
    file.as_file().set_len(bytes).expect("a size");
    let output = Command::new("blkid").args(["-p", "-o", "value", "-s", "TYPE"]).arg(file.path()).output();
    assert_eq!(String::from_utf8_lossy(&output.expect("blkid, of util-linux").stdout).trim(), "swap");
}
