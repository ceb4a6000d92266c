//! Machines with a kernel of their own have what the namespaces' kernel may lack.

use std::time::{Duration, Instant};

use netns_tests::{Lab, LabResult};

const SOON: Duration = Duration::from_secs(30);

/// An NFS v4.2 server for /home, as small as NFS-Ganesha's configuration gets.
const GANESHA: &str = "
NFS_CORE_PARAM { Protocols = 4; NFS_Port = 2049; Enable_NLM = false; Enable_RQUOTA = false; }
NFSv4 { Graceless = true; Minor_Versions = 2; }
EXPORT { Export_Id = 1; Path = /home; Pseudo = /home; Access_Type = RW; Squash = No_Root_Squash; SecType = sys; FSAL { Name = VFS; } }
";

#[test]
fn a_uml_machine_mounts_nfs_opens_a_tap_and_makes_a_vlan_link() -> LabResult<()> {
    let lab = Lab::new("kernel")?;
    let underlay = lab.network("underlay")?;
    let server = lab.machine("server").nic("und0", &underlay, "192.0.2.10/24").start()?;
    server.write_file("/etc/ganesha/ganesha.conf", GANESHA)?;
    server.run("ganesha.nfsd -f /etc/ganesha/ganesha.conf -L /var/log/ganesha.log").expect_ok()?;
    server.wait_for_tcp(([192, 0, 2, 10], 2049).into(), SOON)?;

    let booted = Instant::now();
    let w1 = lab.uml("w1").nic("eth0", &underlay, "192.0.2.21/24").boot()?;
    println!("booted in {:?}", booted.elapsed());

    w1.run("mount -t nfs -o vers=4.2,soft 192.0.2.10:/home /mnt").deadline(SOON).expect_ok()?;
    w1.run("echo from w1 > /mnt/hello").expect_ok()?;
    assert_eq!(server.read_text("/home/hello")?, "from w1\n");
    w1.run("ip tuntap add name tap9 mode tap && ip link set tap9 up").expect_ok()?;
    w1.run("ip link add link eth0 name eth0.77 type vlan id 77").expect_ok()?;
    assert!(w1.run("ip -d link show eth0.77").expect_ok()?.contains("vlan protocol 802.1Q id 77"));
    w1.run("ip link add lbvx77 type vxlan id 77 dstport 4789 && ip link add lbbr77 type bridge").expect_ok()?;
    Ok(())
}

#[test]
fn a_worker_is_plugged_into_its_hosts_bridge() -> LabResult<()> {
    let lab = Lab::new("plug")?;
    let ursa01 = lab.machine("ursa01").start()?;
    let w1 = lab.uml("w1").on_host(&ursa01).boot()?;
    w1.run("ip addr add 10.77.1.1/16 dev eth0").expect_ok()?;

    ursa01
        .run("ip link add lbbr-ursa type bridge && ip link set lbbr-ursa up && ip addr add 10.77.0.2/16 dev lbbr-ursa")
        .expect_ok()?;
    ursa01.run("ping -c 1 -W 1 10.77.1.1").expect_failure()?;
    w1.plug("lbbr-ursa")?;
    ursa01.run("ping -c 1 -W 5 10.77.1.1").expect_ok()?;
    assert!(ursa01.run("bridge link show").expect_ok()?.contains(w1.tap()?));
    w1.unplug()?;
    ursa01.run("ping -c 1 -W 1 10.77.1.1").expect_failure()?;

    let w2 = lab.uml("w2").plug(&ursa01, "lbbr-ursa").boot()?;
    w2.run("ip addr add 10.77.1.2/16 dev eth0 && ping -c 1 -W 5 10.77.0.2").expect_ok()?;
    Ok(())
}

#[test]
fn a_crashed_machine_boots_again_from_its_disk() -> LabResult<()> {
    let lab = Lab::new("reboot")?;
    let net = lab.network("net")?;
    let one = lab.machine("one").nic("eth0", &net, "192.0.2.1/24").start()?;
    let w1 = lab.uml("w1").nic("eth0", &net, "192.0.2.21/24").boot()?;
    w1.run("echo kept > /var/lib/kept && sync && echo lost > /run/lost").expect_ok()?;
    let sleeping = w1.run("sleep 1000").spawn()?;

    w1.crash()?;
    sleeping.wait(SOON).expect_err("a crash ends what ran");
    w1.run("true").output().expect_err("nobody is there");
    one.run("ping -c 1 -W 1 192.0.2.21").expect_failure()?;

    w1.boot_again()?;
    assert_eq!(w1.read_text("/var/lib/kept")?, "kept\n");
    w1.run("test -e /run/lost").expect_failure()?;
    // Repeated: the neighbour's kernel has asked in vain during the crash, and may keep to that for a moment.
    one.wait_until("ping -c 1 -W 1 192.0.2.21", SOON)?;
    w1.boot_again().expect_err("it is running");
    Ok(())
}

#[test]
fn a_cloud_machine_is_reached_over_the_long_way_only() -> LabResult<()> {
    let lab = Lab::new("cloud")?;
    let (cloud, internet) = (lab.network("cloud")?, lab.network("internet")?);
    let wan = lab.wan(&cloud, &internet)?;
    let frontend =
        lab.machine("frontend").nic("wan0", &internet, "198.51.100.1/24").route("203.0.113.0/24", "wan0").start()?;
    let e1 = lab.uml("e1").nic("eth0", &cloud, "203.0.113.11/24").route("default", "eth0").boot()?;

    e1.run("ping -c 1 -W 5 198.51.100.1").expect_ok()?;
    wan.cut(true);
    frontend.run("ping -c 1 -W 1 203.0.113.11").expect_failure()?;
    Ok(())
}

#[test]
fn much_input_and_output_at_once_pass_the_serial_line_whole() -> LabResult<()> {
    let lab = Lab::new("serial")?;
    let w1 = lab.uml("w1").boot()?;
    let written: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| w1.run("head -c 300000 /dev/zero").output())).collect();
        let echoed = w1.run("cat").stdin(written.clone()).output()?;
        assert!(echoed.stdout == written, "{} bytes came back, or others", echoed.stdout.len());
        for reader in readers {
            assert_eq!(reader.join().expect("it does not panic")?.stdout.len(), 300_000);
        }
        w1.run("true").expect_ok().map(drop)
    })
}

#[test]
fn a_guest_has_a_clock_of_its_own() -> LabResult<()> {
    let lab = Lab::new("clock")?;
    let w1 = lab.uml("w1").boot()?;
    assert_eq!(w1.run("date -s 2001-02-03 > /dev/null; date +%F").expect_ok()?, "2001-02-03\n");
    Ok(())
}

#[test]
fn a_machine_has_the_disks_that_it_was_given_and_its_name_is_free_when_it_is_retired() -> LabResult<()> {
    let lab = Lab::new("disk")?;
    let ursa01 = lab.machine("ursa01").start()?;
    let w1 = lab.uml("w1").on_host(&ursa01).mac("02:4c:0a:4d:01:01").disk([b'x'; 4096]).boot()?;
    assert_eq!(w1.run("head -c 3 /dev/ubda").expect_ok()?, "xxx");
    w1.run("echo y > /dev/ubda").expect_failure()?;
    assert_eq!(w1.run("cat /sys/class/net/eth0/address").expect_ok()?, "02:4c:0a:4d:01:01\n");
    lab.retire(&w1)?;
    ursa01.run("ip link show vm-w1").expect_failure()?;
    lab.uml("w1").on_host(&ursa01).boot()?;
    Ok(())
}
