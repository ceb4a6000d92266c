//! The front-end's daemon, killed at every moment of a worker's booting and of its going, on a host that answers late, twice or
//! never: one machine, then none, never one without a record, and no room lost. Those that answer in the end share the moments.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::Ursa;
use rstest::rstest;

/// Where the host's driver is, on the front-end, with all that it knows.
const HYPERVISOR: &str = "/srv/hypervisor";
/// A worker of one processor, which never joins: that part of its way has a sweep of its own.
const TEMPLATE: &str = "NAME = nobody\nCPU = 1\nMEMORY = 512\nDISK = [ SOURCE = \"/none\", TARGET = \"vda\" ]\n";
/// A machine that is not there is looked for a quarter of a minute.
const PATIENCE: Duration = Duration::from_mins(1);

#[rstest]
#[case::late("late", 0, 2)]
#[case::twice("twice", 1, 2)]
#[case::never("never", 0, 1)]
fn a_machine_comes_and_goes_whenever_the_daemon_dies(
    #[case] habit: &str,
    #[case] first: usize,
    #[case] stride: usize,
) -> LabResult<()> {
    let ursa = ursa(habit)?;
    let mut swept = (0, 0);
    for at in (first..).step_by(stride) {
        let begun = std::time::Instant::now();
        let name = format!("w{at}");
        let asked = "--template /etc/landbridge/nobody.one --on ursa01";
        let boot_died = boot(&ursa, &name, asked, &has_come(&name), at)?;
        has_one_machine(&ursa, &name)?;
        let destroy_died = destroy(&ursa, &name, at)?;
        has_nothing(&ursa, &name)?;
        println!("{habit}, moment {at}: {:.1} s", begun.elapsed().as_secs_f64());
        swept = (swept.0 + usize::from(boot_died), swept.1 + usize::from(destroy_died));
        if !boot_died && !destroy_died {
            break;
        }
    }
    println!("{habit}: {} moments of booting, {} of going", swept.0, swept.1);
    assert!(swept.0 > 5 && swept.1 > 5, "too few for a daemon: {swept:?}");
    Ok(())
}

/// A front-end, and one host, whose hypervisor is a file.
fn ursa(habit: &str) -> LabResult<Ursa> {
    let ursa = Ursa::draw(&format!("crash-boot-{habit}"))?;
    ursa.frontend.write_file_with_mode(format!("{HYPERVISOR}/driver"), include_str!("hypervisor.py"), 0o755)?;
    ursa.frontend.write_file(format!("{HYPERVISOR}/habit"), habit)?;
    ursa.frontend.write_file("/etc/landbridge/nobody.one", TEMPLATE)?;
    ursa.edit_file(|file| {
        let (ours, _cloud) = file.split_once("[[host]]\nname = \"ec2\"").expect("a cloud, at the end");
        let lines = ours.lines().filter(|line| !line.starts_with("nfs") && !line.starts_with("nis"));
        let driver = format!("driver = \"{HYPERVISOR}/driver\"\ncpus = 8");
        lines.flat_map(|line| [line, "\n"]).collect::<String>().replacen("cpus = 8", &driver, 1)
    })?;
    ursa.landbridge("up").expect_ok()?;
    ursa.enrol(&ursa.hosts[0])?;
    ursa.hosts[0].wait_until("ip link show lbbr-ursa", PATIENCE)?;
    Ok(ursa)
}

/// A worker is booted by a daemon that dies at that moment; whether it did.
pub(super) fn boot(ursa: &Ursa, name: &str, asked: &str, has_come: &str, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || {
        // It may have been planned, and the answer been lost.
        ursa.landbridge(&format!("worker show {name} || landbridge worker boot {asked} --name {name}")).expect_ok()
    })?;
    doomed.through(ursa, || ursa.frontend.wait_until(has_come, PATIENCE))?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    doomed.died(ursa)
}

/// One machine, and its worker knows of it; where the host never answers it still waits.
fn has_come(name: &str) -> String {
    let is = |state: &str| format!("landbridge worker show {name} --output json | grep -q '\"state\": \"{state}\"'");
    let (booting, waiting) = (is("booting"), is("provisioning"));
    let one = format!("[ $(grep -o '\"id\"' {HYPERVISOR}/machines | wc -l) = 1 ]");
    format!("{one} && {{ {booting} || {{ grep -q never {HYPERVISOR}/habit && {waiting}; }}; }}")
}

/// The worker is destroyed by a daemon that dies at that moment; whether it did.
pub(super) fn destroy(ursa: &Ursa, name: &str, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || ursa.landbridge(&format!("worker destroy {name} --now --wait")).expect_ok())?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    let died = doomed.died(ursa)?;
    if !died {
        // One that has survived is as it should be but for the moment that it was told.
        ursa.landbridge("up").expect_ok()?;
    }
    Ok(died)
}

/// The worker has its part of the host, and no other has one.
fn has_one_machine(ursa: &Ursa, name: &str) -> LabResult<()> {
    let workers = ursa.ask("worker list")?;
    let names: Vec<_> = workers.as_array().into_iter().flatten().map(|worker| &worker["name"]).collect();
    assert_eq!(names, [name], "{workers:#}");
    assert_eq!(taken(ursa)?, 100, "one processor is taken");
    Ok(())
}

/// Nothing of it is left on either side, and whatever was asked for had been written down before.
fn has_nothing(ursa: &Ursa, name: &str) -> LabResult<()> {
    ursa.landbridge("audit").expect_ok()?;
    ursa.landbridge("plan").expect_ok()?;
    assert_eq!(ursa.state(name)?, "gone");
    assert_eq!(ursa.frontend.read_text(format!("{HYPERVISOR}/machines"))?, "[]");
    assert_eq!(taken(ursa)?, 0, "its room was not given back");
    let known = ursa.frontend.run("SGE_CELL=landbridge-ursa qconf -sel 2>&1").output()?.out();
    assert!(!known.contains(name), "the queue knows {name}: {known}");
    ursa.frontend.run(&format!("cat {HYPERVISOR}/unrecorded")).expect_failure()?;
    // One that nobody listens to any more ends by itself.
    ursa.frontend.wait_until("! pgrep -f '[h]ypervisor/driver'", PATIENCE).map(drop)
}

/// What the host has promised of its processors, in hundredths.
fn taken(ursa: &Ursa) -> LabResult<u64> {
    Ok(ursa.ask("host show ursa01")?["allocated_cpu"].as_u64().unwrap_or(u64::MAX))
}
