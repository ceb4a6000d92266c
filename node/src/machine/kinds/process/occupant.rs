//! Who sits where a program of ours should listen: its name, its process, and the unit of systemd that would start it again.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// In `/proc/net/tcp`, proc(5): a socket that listens.
const LISTENS: &str = "0A";

/// Who listens on the address's port, in words: `ganesha.nfsd (process 812, of nfs-ganesha.service)`.
pub(super) fn of_port(address: SocketAddr) -> Option<String> {
    let port = format!(":{:04X}", address.port());
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    let mut listening = lines.filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.get(1)?.ends_with(&port) && *words.get(3)? == LISTENS).then(|| words.get(9).copied())?
    });
    holder(listening.next()?)
}

/// Who listens at a unix socket's path.
pub(super) fn of_path(path: &Path) -> Option<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let path = path.to_str()?;
    let inode = table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (*words.get(7)? == path).then(|| words.get(6).copied())?
    })?;
    holder(inode)
}

/// The process that has this socket open.
fn holder(inode: &str) -> Option<String> {
    let socket = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|target| target.as_os_str() == socket.as_str())
    };
    let processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    let is_numbered =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_bytes().iter().all(u8::is_ascii_digit));
    let process = processes.filter(is_numbered).find(|path| has_it(path))?;
    let name = fs::read_to_string(process.join("comm")).ok()?;
    let id = process.file_name()?.to_str()?;
    let unit = unit(&fs::read_to_string(process.join("cgroup")).unwrap_or_default());
    let of =
        unit.map(|unit| format!(", of {unit}; systemctl disable --now {unit} ends it for good")).unwrap_or_default();
    Some(format!("{} (process {id}{of})", name.trim_end()))
}

/// The system's service in a process's control group, cgroups(7): `0::/system.slice/nfs-ganesha.service`. What a person has
/// started in a session, or over SSH, is no unit's.
fn unit(cgroup: &str) -> Option<String> {
    let mut services = cgroup.lines().filter_map(|line| line.split_once(":/system.slice/")?.1.strip_suffix(".service"));
    let name = services.find(|name| !name.contains('/') && !["ssh", "sshd"].contains(name))?;
    Some(format!("{name}.service"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_is_found_by_the_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let who = of_port(address).expect("ourselves");
        assert!(who.contains(&format!("(process {}", std::process::id())), "{who}");
        drop(listener);
        assert_eq!(of_port(address), None);
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        assert!(of_path(&path).is_some_and(|who| who.contains(&format!("(process {}", std::process::id()))));
    }

    #[test]
    fn its_unit_is_read_from_its_control_group() {
        assert_eq!(unit("0::/system.slice/nfs-ganesha.service\n").as_deref(), Some("nfs-ganesha.service"));
        assert_eq!(unit("1:name=systemd:/system.slice/ypserv.service\n0::/\n").as_deref(), Some("ypserv.service"));
        for none in [
            "0::/user.slice/user-0.slice/session-3.scope",
            "0::/user.slice/user-0.slice/user@0.service/app.slice/tmux.scope",
            "0::/system.slice/ssh.service",
        ] {
            assert_eq!(unit(none), None, "{none}");
        }
    }
}
