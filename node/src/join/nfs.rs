//! The exports, mounted, and answering.

use std::io;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::thread;

use nix::errno::Errno;
use nix::sys::statvfs::statvfs;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use crate::machine::{MachineSpec, Mount, Sysctl, SysctlValue, is_mounted};
use crate::wire::{Failure, NfsBundle};
use crate::words;

/// NFS v4 needs this port alone (RFC 7530, section 3.1).
const PORT: u16 = 2049;
/// What mount(8) may take: a server in its grace period answers late.
const MOUNT_DEADLINE: Duration = Duration::from_secs(20);
/// A server that listens takes a connection at once.
const KNOCK: Duration = Duration::from_secs(3);

/// A connection that was idle goes on at the rate that it had. Each job comes after a pause in which nothing crosses NFS's
/// one connection, and would begin with ten packets (RFC 5681, section 4.1) and double them with each round trip.
pub fn no_slow_start_after_idle() -> Sysctl {
    Sysctl { name: "net.ipv4.tcp_slow_start_after_idle".into(), value: SysctlValue::Exactly("0".into()) }
}

/// One mount an export, at the same path.
pub fn resources(nfs: &NfsBundle) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(no_slow_start_after_idle());
    for export in &nfs.exports {
        spec.push(Mount {
            source: nfs.source(export),
            also: vec![nfs.other_source(export)],
            target: export.clone(),
            fstype: "nfs4".into(),
            options: nfs.options.clone(),
            deadline: MOUNT_DEADLINE,
        });
    }
    spec
}

/// The exports that are mounted in vain: the server has other files now than those that they show, or had others then.
pub async fn stale(nfs: &NfsBundle, until: Instant) -> Vec<&PathBuf> {
    let mut stale = Vec::new();
    for export in nfs.exports.iter().filter(|export| is_mounted(export).unwrap_or(true)) {
        match timeout_at(until, look(export.clone())).await {
            Ok(Err(error)) if error.raw_os_error() == Some(Errno::ESTALE as i32) => stale.push(export),
            Ok(Ok(0)) if nfs.root.as_ref() == Some(export) => stale.push(export),
            _ => {}
        }
    }
    stale
}

/// Where the server listens.
pub fn server(nfs: &NfsBundle) -> SocketAddrV4 {
    SocketAddrV4::new(nfs.server, PORT)
}

/// The server did not answer, for this reason; mount(8) would retry for minutes before it said so.
pub fn unreached(nfs: &NfsBundle, seen: String) -> Failure {
    Failure {
        expected: format!("an NFS server at {}", server(nfs)),
        seen,
        remedy: "start the front-end's services (landbridge up), and see landbridge status there".into(),
    }
}

/// Opens a TCP connection and closes it; says in plain words why it could not.
pub(super) async fn knock(address: SocketAddrV4) -> Result<(), String> {
    match timeout(KNOCK, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err("the machine is there, but nothing listens on the port (connection refused)".into())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", KNOCK.as_secs())),
    }
}

/// Each export is a mount that answers when its size is asked for. Its entries may be for its owner's eyes alone. A root without
/// a size is a server's list of what it exports, and not the export that should be its root.
pub async fn prove(nfs: &NfsBundle, until: Instant) -> Result<(), Failure> {
    for export in &nfs.exports {
        let source = nfs.source(export);
        match timeout_at(until, look(export.clone())).await {
            Ok(Ok(0)) if nfs.root.as_ref() == Some(export) => return Err(no_such_export(nfs)),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                return Err(Failure {
                    expected: format!("{source} to tell its size at {}", export.display()),
                    seen: error.to_string(),
                    remedy: "see the NFS server's log on the front-end".into(),
                });
            }
            Err(_) => {
                return Err(Failure {
                    expected: format!("{source} to answer"),
                    seen: "it is mounted, and hangs".into(),
                    remedy: "see the NFS server on the front-end; until it answers, programs that use it wait".into(),
                });
            }
        }
    }
    Ok(())
}

/// Its size. In a thread of its own, which is left behind if the server hangs: such a thread can't be ended, only the process can.
async fn look(path: PathBuf) -> io::Result<u64> {
    let (done, told) = oneshot::channel();
    thread::spawn(move || {
        let _ = done.send(statvfs(&path).map(|size| size.blocks()).map_err(io::Error::from));
    });
    told.await.unwrap_or_else(|_| Err(io::Error::other("the look at it was cut short")))
}

/// Why an export could not be mounted, from what mount(8) said.
pub fn explain(nfs: &NfsBundle, error: &(dyn std::error::Error + 'static)) -> Failure {
    if words::is_missing_program(error) {
        return words::missing_program("NFS", "mount.nfs4", "nfs-common");
    }
    refused(nfs, &words::chain(error))
}

fn to_be_mounted(nfs: &NfsBundle) -> String {
    let exports: Vec<String> = nfs.exports.iter().map(|e| e.display().to_string()).collect();
    format!("{} from {} to be mounted", exports.join(", "), nfs.server)
}

fn no_such_export(nfs: &NfsBundle) -> Failure {
    Failure {
        expected: to_be_mounted(nfs),
        seen: "the server exports no such path".into(),
        remedy: "see services.nfs.exports in cluster.toml, then landbridge up".into(),
    }
}

fn refused(nfs: &NfsBundle, said: &str) -> Failure {
    let says = |text: &str| said.contains(text);
    let expected = to_be_mounted(nfs);
    let (seen, remedy) = if says("access denied by server") || says("Operation not permitted") {
        (
            "the NFS server refuses this machine's address",
            "see the exports on the front-end: they are for the vLAN's addresses",
        )
    } else if says("No such file or directory") {
        return no_such_export(nfs);
    } else if says("need a /sbin/mount.") || says("bad option") {
        return words::missing_program("NFS", "mount.nfs4", "nfs-common");
    } else if says("No such device") || says("unknown filesystem type") {
        ("this machine's kernel has no NFS client", "load the module nfsv4, or take a kernel that has it")
    } else if says("Protocol not supported") {
        ("the server does not speak this version of NFS", "the server must offer NFS v4.2")
    } else if says("and not by us") {
        let remedy = "see what it is (findmnt) and unmount it, then join again".into();
        return Failure { expected, seen: said.into(), remedy };
    } else if says("Connection refused") {
        ("nothing listens on the NFS port", "start the front-end's services: landbridge up")
    } else {
        return Failure { expected, seen: said.into(), remedy: "see the NFS server's log on the front-end".into() };
    };
    Failure { expected, seen: seen.into(), remedy: remedy.into() }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn nfs() -> NfsBundle {
        NfsBundle {
            server: Ipv4Addr::new(10, 77, 0, 1),
            exports: vec!["/home".into()],
            root: None,
            options: "vers=4.2,hard".into(),
        }
    }

    #[test]
    fn what_mount_says_is_put_in_plain_words() {
        let said = [
            "mount.nfs4: access denied by server while mounting 10.77.0.1:/home",
            "mount.nfs4: mounting 10.77.0.1:/home failed, reason given by server: No such file or directory",
            "mount: /home: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.",
            "mount.nfs4: No such device",
            "mount.nfs4: Protocol not supported",
            "mount.nfs4: Connection refused",
            "mount.nfs4: something new",
        ];
        let words: Vec<String> = said
            .iter()
            .map(|said| {
                let failure = refused(&nfs(), said);
                format!("{said}\n  {failure}\n  {}", failure.remedy)
            })
            .collect();
        insta::assert_snapshot!(words.join("\n"));
    }

    #[test]
    fn the_export_that_is_the_servers_root_is_mounted_from_there() {
        let nfs = NfsBundle { exports: vec!["/home".into(), "/srv".into()], root: Some("/home".into()), ..nfs() };
        let sources: Vec<String> = nfs.exports.iter().map(|export| nfs.source(export)).collect();
        assert_eq!(sources, ["10.77.0.1:/", "10.77.0.1:/srv"]);
    }

    #[tokio::test]
    async fn a_port_without_a_server_is_told_from_one_with() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        assert_eq!(knock(address).await, Ok(()));
        drop(listener);
        let seen = knock(address).await.expect_err("nobody listens");
        assert!(seen.contains("connection refused"), "{seen}");
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_not_proved() {
        let nfs = NfsBundle { exports: vec!["/nonexistent/home".into()], ..nfs() };
        let failure = prove(&nfs, Instant::now() + Duration::from_secs(5)).await.expect_err("nothing there");
        assert!(failure.seen.contains("No such file"), "{failure}");
    }
}
