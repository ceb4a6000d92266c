//! The data plane outlives the control plane.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

const PATIENCE: Duration = Duration::from_mins(1);
/// Answers each line of one connection.
const ECHO: &str = "perl -MIO::Socket::INET -e '
    my $door = IO::Socket::INET->new(Listen => 1, LocalAddr => \"10.77.0.1:9000\", ReuseAddr => 1) or die $!;
    print \"listening\\n\"; STDOUT->flush;
    my $peer = $door->accept; while (<$peer>) { print $peer $_ }'";
/// Sends its lines over one connection, and says each answer.
const TALK: &str = "perl -MIO::Socket::INET -e '
    my $peer = IO::Socket::INET->new(\"10.77.0.1:9000\") or die $!;
    $| = 1; while (<STDIN>) { print $peer $_; print \"answer: \" . (<$peer> // die \"lost\") }'";
/// The front-end's programs, without the daemon.
const PROGRAMS: &str = "pgrep -al 'openvpn|ganesha|rpcbind|ypserv|sge_qmaster' | sort";

#[test]
fn a_dead_daemon_interrupts_no_tunnel_and_a_known_worker_comes_back_without_it() -> LabResult<()> {
    let ursa = Ursa::light("crash-data-plane")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    let programs = ursa.frontend.run(PROGRAMS).expect_ok()?;
    let mut echo = ursa.frontend.run(ECHO).spawn()?;
    echo.wait_for_output("listening", PATIENCE)?;
    let mut talk = e1.run(TALK).open_stdin().spawn()?;
    talk.write_stdin("before\n")?;
    talk.wait_for_output("answer: before", PATIENCE)?;

    let daemon = ursa.daemon()?;
    ursa.kill_daemon()?;
    talk.write_stdin("during\n")?;
    talk.wait_for_output("answer: during", PATIENCE)?;
    reconnects_alone(&e1)?;
    talk.write_stdin("after\n")?;
    talk.wait_for_output("answer: after", PATIENCE)?;

    ursa.landbridge("up").expect_ok()?;
    assert_eq!(ursa.frontend.run(PROGRAMS).expect_ok()?, programs, "only the daemon was started");
    assert_ne!(ursa.daemon()?, daemon);
    talk.write_stdin("again\n")?;
    talk.wait_for_output("answer: again", PATIENCE)?;

    // Another version of the program: what a person installs.
    let daemon = ursa.daemon()?;
    ursa.frontend
        .run("cp $(which landbridge landbridged landbridge-node) /root && echo >>/root/landbridged")
        .expect_ok()?;
    ursa.frontend.run("/root/landbridge up").deadline(PATIENCE).expect_ok()?;
    assert_eq!(
        ursa.frontend.run(PROGRAMS).expect_ok()?,
        programs,
        "an upgrade starts the daemon anew, and nothing else"
    );
    assert_ne!(ursa.daemon()?, daemon);
    talk.write_stdin("upgraded\n")?;
    talk.wait_for_output("answer: upgraded", PATIENCE)?;
    ursa.landbridge("audit").expect_ok()?;
    Ok(())
}

/// The worker's client is killed and started by hand, with nobody of ours on either side to help it.
fn reconnects_alone(worker: &Machine) -> LabResult<()> {
    let client = worker.run("pgrep -x openvpn").expect_ok()?.trim().to_owned();
    let argv = worker.run(&format!("tr '\\0' ' ' </proc/{client}/cmdline")).expect_ok()?;
    let agent = worker.run("pgrep -f 'landbridge-node agent'").expect_ok()?.trim().to_owned();
    let end = format!("kill -TERM {agent}; tail --pid={agent} -s 0.02 -f /dev/null; kill -KILL {client}");
    worker.run(&end).expect_ok()?;
    worker.run(&format!("setsid {argv} </dev/null >/dev/null 2>&1 &")).expect_ok()?;
    worker.wait_until("ping -c 1 -W 1 10.77.0.1", PATIENCE).map(drop)
}
