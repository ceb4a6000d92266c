//! nscd in front of the NIS domain. The C library remembers nobody: Grid Engine looks a job's user up about ten times before
//! the job runs, and NIS answers each time after two round trips.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;

use super::worker::Worker;
use crate::machine::{Children, Directory, File, MachineSpec, Process, Readiness, Residue, has_program, is_ours};

const NSCD: &str = "nscd";
/// Where nscd lets itself be asked, nscd(8); its directory has its process id and its tables too.
const SOCKET: &str = "/run/nscd/socket";
const DIRECTORY: &str = "/run/nscd";

/// nscd.conf(5). Whoever was asked for is known for a minute, and asked for anew before that is over for as long as nscd
/// runs: jobs never wait for it, and what changes in the domain is seen within a minute. Hosts aren't remembered: workers
/// come and go.
const CONFIG: &str = "\
# Written by landbridge-node; changes here are lost.
reload-count unlimited
paranoia no
enable-cache passwd yes
positive-time-to-live passwd 60
negative-time-to-live passwd 3
check-files passwd yes
persistent passwd no
shared passwd yes
enable-cache group yes
positive-time-to-live group 60
negative-time-to-live group 3
check-files group yes
persistent group no
shared group yes
enable-cache hosts no
enable-cache services no
enable-cache netgroup no
";

/// Whether nscd is there and runs for nobody else. One of somebody else is used as it is.
pub(super) fn is_wanted() -> bool {
    has_program(NSCD) && !runs_for_others()
}

fn runs_for_others() -> bool {
    let listener = UnixStream::connect(SOCKET).and_then(|stream| Ok(getsockopt(&stream, PeerCredentials)?));
    listener.is_ok_and(|who| !is_ours(who.pid()))
}

/// nscd, where it runs for us.
pub(super) fn resources(worker: &Worker) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if !worker.name_cache {
        return spec;
    }
    let config = worker.paths.name_cache_config();
    spec.push(Directory { path: DIRECTORY.into(), mode: 0o755, owner: None });
    for path in [SOCKET.into(), PathBuf::from(DIRECTORY).join("nscd.pid")] {
        spec.push(Residue { path });
    }
    spec.push(File::open(&config, CONFIG));
    spec.push(Process {
        name: NSCD.into(),
        argv: [NSCD, "--foreground", "--config-file", &config.display().to_string()].map(String::from).into(),
        env: Vec::new(),
        restart_on: vec![config],
        reload_on: Vec::new(),
        ready: Readiness::Unix(SOCKET.into()),
        deadline: super::nis::START,
        grace: Process::GRACE,
        children: Children::End,
    });
    spec
}
