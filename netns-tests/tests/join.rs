//! Workers join: behind a physical host's bridge, and behind a tunnel from a cloud.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

/// For what comes at once, but for a server's restart or a mount in use, which is waited for.
const SOON: Duration = Duration::from_mins(1);

/// What ada's tasks say of the machine that they run on, and of how they are scheduled there: proc_pid_stat(5), field 41.
const TASK: &str = "#!/bin/sh
echo $(hostname) $(id -un) $(stat -f -c %T $HOME) $(ypwhich) $(cut -d ' ' -f 41 /proc/$$/stat)
sleep 1
";

#[test]
fn a_local_and_a_remote_worker_do_the_same_work_and_neither_can_tell_which_it_is() -> LabResult<()> {
    let ursa = Ursa::up("join")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;

    let workers = ursa.ask("worker list")?;
    let states: Vec<_> = workers.as_array().into_iter().flatten().map(|w| w["state"].clone()).collect();
    assert_eq!(states, ["ready", "ready"], "{workers:#}");

    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    as_ada(&ursa.frontend, "mkdir tasks")?;
    as_ada(&ursa.frontend, "qsub -sync y -cwd -j y -o tasks -t 1-8 task.sh")?;
    let said = as_ada(&ursa.frontend, "sort -u tasks/*")?;
    assert_eq!(said, "e1 ada nfs 10.77.0.1 0\nw1 ada nfs 10.77.0.1 0\n");
    Ok(())
}

/// A home changes on the front-end, behind the NFS server's back, between one job and the next.
#[test]
fn what_changes_on_the_front_end_is_seen_by_the_next_who_opens_it_on_a_worker() -> LabResult<()> {
    let ursa = Ursa::up("fresh")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    for round in 0..5 {
        ursa.frontend.write_file("/home/ada/input", format!("round {round}\n"))?;
        assert_eq!(as_ada(&w1, "cat input")?, format!("round {round}\n"));
    }
    Ok(())
}

/// Runs a command as the NIS user, in her home.
fn as_ada(machine: &Machine, command: &str) -> LabResult<String> {
    let quoted = command.replace('\'', r"'\''");
    let line = format!("su - ada -c '{quoted}'");
    machine.run(&line).deadline(Duration::from_mins(2)).expect_ok()
}

/// In a network of its own, a program can ask nobody.
const ALONE: &str = "unshare --net id -nG bob";

#[test]
fn who_is_added_on_the_front_end_is_known_on_the_workers_at_once() -> LabResult<()> {
    let ursa = Ursa::up("people")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let e2 = ursa.instance("e2", "203.0.113.12/24")?;
    e2.run("rm /usr/lib/libnss_extrausers.so.2").expect_ok()?;
    let switch = e1.run("cat /etc/nsswitch.conf").expect_ok()?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    ursa.join(&e2, Way::Tunnel, "ec2")?;

    ursa.frontend.run("useradd --uid 1001 bob && groupadd --gid 2000 lab && usermod -aG lab bob").expect_ok()?;
    e1.wait_until("id -nG bob | grep -qw lab", SOON)?;
    e1.run(&format!("{ALONE} | grep -qw lab")).expect_ok()?;
    // Without a table, each look is a question to the NIS server.
    e2.wait_until("id -nG bob | grep -qw lab", SOON)?;
    e2.run(ALONE).expect_failure()?;

    ursa.frontend.run("userdel bob").expect_ok()?;
    e1.wait_until("! id bob", SOON)?;
    e1.run("landbridge-node leave").deadline(Duration::from_mins(1)).expect_ok()?;
    assert_eq!(e1.run("cat /etc/nsswitch.conf").expect_ok()?, switch);
    assert_eq!(e1.run("ls /var/lib/extrausers").expect_ok()?, "");
    Ok(())
}

#[test]
fn a_second_export_comes_beside_a_job_that_has_its_files_open() -> LabResult<()> {
    let ursa = Ursa::up("exports")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    assert_eq!(e1.run("findmnt -no SOURCE /home").expect_ok()?, "10.77.0.1:/\n");
    ursa.frontend.run("install -d -m 1777 /home/open").expect_ok()?;
    let mut job = e1.run("exec 3>/home/open/out && echo open && read go && echo written >&3").open_stdin().spawn()?;
    job.wait_for_output("open", SOON)?;

    ursa.edit_file(|file| file.replace(r#"["/home"]"#, r#"["/home", "/srv"]"#))?;
    ursa.landbridge("up").expect_ok()?;
    ursa.frontend.run("echo data >/srv/data").expect_ok()?;
    e1.wait_until("grep -qx data /srv/data", SOON)?;

    job.write_stdin("go\n")?;
    job.wait(SOON)?;
    assert_eq!(ursa.frontend.run("cat /home/open/out").expect_ok()?, "written\n");
    // Nothing was mounted anew under the job; after a restart it is mounted as the server has it now.
    assert_eq!(e1.run("findmnt -no SOURCE /home").expect_ok()?, "10.77.0.1:/\n");
    e1.run("echo again >/home/open/out").expect_ok()?;
    e1.crash()?;
    e1.boot_again()?;
    e1.run("landbridge-node join").deadline(SOON).expect_ok()?;
    assert_eq!(e1.run("cat /home/open/out && findmnt -no SOURCE /home").expect_ok()?, "again\n10.77.0.1:/home\n");
    Ok(())
}
