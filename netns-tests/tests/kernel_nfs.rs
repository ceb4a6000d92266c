//! A front-end whose kernel has an NFS server of its own: most real ones. It is a machine with a kernel of its own here too.

use std::sync::Arc;

use netns_tests::ursa::{CLUSTER_TOML, Trace, Ursa, Way};
use netns_tests::{Lab, LabResult, Machine};

/// The guest's disk is one that its kernel can't export, neither `/home` on it nor the way there: nfs.conf(5), `rootdir`.
const EXPORTABLE: &str = "mkdir -p /export /etc/nfs.conf.d && mount -t tmpfs export /export && mkdir -m 1777 /export/home && \
    mount --bind /export/home /home && printf '[exports]\nrootdir=/export\n' >/etc/nfs.conf.d/root.conf";
const RUNS: &str = "cat /proc/fs/nfsd/threads 2>/dev/null || echo none";

#[test]
fn workers_mount_from_the_kernels_own_server_where_there_is_one() -> LabResult<()> {
    let ursa = draw("nfsd")?;
    let front_end = &ursa.frontend;
    front_end.run("modprobe -a bridge veth 8021q").expect_ok()?;
    front_end.run(EXPORTABLE).expect_ok()?;
    let before = Trace::of(front_end)?;
    ursa.landbridge("up").expect_ok()?;
    assert_eq!(front_end.run("pgrep ganesha").expect_failure()?.out(), "");
    let exports = front_end.run("exportfs -s").expect_ok()?;
    assert!(exports.starts_with("/home  10.77.0.0/16("), "{exports}");
    assert!(ursa.landbridge("status").expect_ok()?.contains("NFS      up    /home"));
    let listening = front_end.run("ss -Hltn sport = 2049").expect_ok()?;
    assert!(listening.contains("10.77.0.1:2049") && listening.lines().count() == 1, "to the vLAN only: {listening}");

    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    e1.run("echo hello >/home/from-e1").expect_ok()?;
    assert_eq!(front_end.run("cat /home/from-e1; stat -c %U /home/from-e1").expect_ok()?, "hello\nnobody\n");
    front_end.run("echo changed >/home/from-e1").expect_ok()?;
    assert_eq!(e1.run("cat /home/from-e1").expect_ok()?, "changed\n");

    assert_eq!(front_end.run(RUNS).expect_ok()?, "8\n");
    assert_eq!(ursa.landbridge("up").expect_ok()?.lines().next(), Some("ursa is up; nothing had to change"));
    ursa.landbridge("worker destroy e1").expect_ok()?;
    front_end.run("rm /home/from-e1").expect_ok()?;
    ursa.landbridge("down --purge").expect_ok()?;
    assert_eq!(front_end.run(RUNS).expect_ok()?, "none\n");
    assert_eq!(Trace::of(front_end)?.since(&before), Vec::<String>::new());
    Ok(())
}

/// The front-end and the cloud, with NFS alone.
fn draw(name: &str) -> LabResult<Ursa> {
    let lab = Arc::new(Lab::new(name)?);
    let internet = lab.network("internet")?;
    let underlay = lab.network_with_mtu("underlay", 1600)?;
    let cloud = lab.network("cloud")?;
    let wan = lab.wan(&cloud, &internet)?;
    let machine = lab
        .uml("frontend")
        .nic("wan0", &internet, "198.51.100.1/24")
        .nic("und0", &underlay, "192.0.2.10/24")
        .route("203.0.113.0/24", "wan0")
        .boot()?;
    let file: Vec<&str> = CLUSTER_TOML.lines().filter(|line| !line.starts_with("nis")).collect();
    // 802.1Q: this kernel's packet filter has no tables for both kinds of IP, in which a VXLAN uplink's guard is.
    let edits = [
        ("scheduler = \"sge\"", "scheduler = \"none\""),
        ("vxlan = { vni = 77, underlay-mtu = 1600 }", "vlan = { id = 77, parent = \"und0\" }"),
    ];
    let file = edits.iter().fold(file.join("\n"), |file, (old, new)| file.replace(old, new));
    machine.write_file("/etc/landbridge/cluster.toml", file)?;
    let frontend = Machine::clone(&machine);
    Ok(Ursa { lab, frontend, hosts: Vec::new(), wan, cloud, underlay, internet })
}
