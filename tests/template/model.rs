//! A template written in either syntax and read again is the same template.

use std::collections::BTreeMap;

use landbridge::template::{
    Attribute, Authorized, Cpu, Disk, DiskFormat, DiskSource, Ec2, Format, Nic, Os, Words, WorkerTemplate, parse,
    to_opennebula, to_toml,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Panics with the text when reading it gives another template.
pub(crate) fn assert_kept(template: &WorkerTemplate) {
    let one = to_opennebula(template).expect("no value ends in a backslash");
    for (text, format) in [(one, Format::Opennebula), (to_toml(template), Format::Toml)] {
        match parse(&text, format) {
            Ok(parsed) => assert_eq!(&parsed.template, template, "{text}"),
            Err(found) => panic!("{found:?} in\n{text}"),
        }
    }
}

/// Any text that OpenNebula can say: quotes, line ends, delimiters and backslashes, but no backslash at the end.
fn texts() -> impl Strategy<Value = String> {
    "([ -~éß\n\t\r]|\\\\\"){0,12}[a-z\"\n]"
}

fn words(keys: &'static [&'static str]) -> impl Strategy<Value = Words> {
    btree_map(select(keys).prop_map(str::to_owned), texts(), 0..3)
}

fn oses() -> impl Strategy<Value = Os> {
    let path = || option::of(texts().prop_map(Into::into));
    let parts = (path(), path(), option::of(texts()), option::of(texts()), option::of(texts()));
    (parts, words(&["BOOT", "BOOTLOADER", "SOMETHING"])).prop_map(
        |((kernel, initrd, root, kernel_cmd, arch), other)| Os { kernel, initrd, root, kernel_cmd, arch, other },
    )
}

fn disks() -> impl Strategy<Value = Vec<Disk>> {
    let source = prop_oneof![
        texts().prop_map(|path| DiskSource::Image(path.into())),
        (1..1_000_000_u64).prop_map(DiskSource::Swap),
        (1..1_000_000_u64).prop_map(DiskSource::Empty),
    ];
    let format = option::of(select(vec![DiskFormat::Raw, DiskFormat::Qcow2]));
    let disk = (source, any::<(bool, bool)>(), format, words(&["BUS", "CACHE", "CLONE", "XYZ"]));
    vec(disk, 0..4).prop_map(|disks| {
        let numbered = (b'a'..).zip(disks);
        numbered
            .map(|(letter, (source, (named, read_only), format, other))| Disk {
                source,
                target: named.then(|| format!("sd{}", char::from(letter))),
                read_only,
                format,
                other,
            })
            .collect()
    })
}

fn nics() -> impl Strategy<Value = Vec<Nic>> {
    let parts = (option::of(texts()), option::of(texts()), words(&["MAC", "IP", "NETWORK"]));
    vec(parts.prop_map(|(bridge, model, other)| Nic { bridge, model, other }), 0..3)
}

fn ec2s() -> impl Strategy<Value = Ec2> {
    let ranges = (1..=u16::MAX, 1..=u16::MAX).prop_map(|(a, b)| Authorized { from: a.min(b), to: a.max(b) });
    let parts =
        (texts(), option::of(texts()), option::of("[a-z0-9]{1,4}\\.[a-z0-9]{1,6}"), vec(ranges, 0..3), any::<bool>());
    (parts, words(&["CLOUD", "ELASTICIP", "USERDATA"])).prop_map(
        |((ami, key_pair, instance_type, authorized_ports, spot), other)| Ec2 {
            ami,
            key_pair,
            instance_type,
            authorized_ports,
            spot,
            other,
        },
    )
}

fn others() -> impl Strategy<Value = BTreeMap<String, Vec<Attribute>>> {
    let value = prop_oneof![
        texts().prop_map(Attribute::Single),
        btree_map("[A-Z][A-Z0-9_]{0,4}", texts(), 0..3).prop_map(Attribute::Vector),
    ];
    let name = select(vec!["GRAPHICS", "INPUT", "CONTEXT", "RANK", "WHATEVER_1"]).prop_map(str::to_owned);
    btree_map(name, vec(value, 1..3), 0..4)
}

fn templates() -> impl Strategy<Value = WorkerTemplate> {
    let counts = (option::of(1..=4096_u32), option::of(1..=4096_u32));
    let size = (1..=400_000_u32, 1..=1_000_000_u64);
    let parts = (option::of(oses()), disks(), nics(), option::of(ec2s()));
    (option::of(texts()), size, counts, parts, others()).prop_map(
        |(name, (cpu, memory_mib), (vcpu, slots), (os, disks, nics, ec2), other)| WorkerTemplate {
            name,
            cpu: Cpu(cpu),
            vcpu,
            memory_mib,
            os,
            disks,
            nics,
            ec2,
            slots,
            other,
        },
    )
}

proptest! {
    #[test]
    fn a_template_survives_both_syntaxes(template in templates()) {
        assert_kept(&template);
    }
}

#[test]
fn a_backslash_at_the_end_is_refused_rather_than_changed() {
    let mut template = parse("NAME = x\nMEMORY = 1", Format::Opennebula).expect("a template").template;
    template.name = Some("C:\\".into());
    let refused = to_opennebula(&template).expect_err("no way to say it");
    assert!(refused.to_string().contains("NAME"), "{refused}");
}
