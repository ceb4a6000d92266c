//! The sockets of a program of ours, for what can be set of a socket and has no option of the program's.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::StepError;
use super::kinds::process::Instance;
use super::pidfd::PidFd;
use super::place::Place;

/// Copies of the sockets that the process of this name has now, as pidfd_getfd(2) gives them; none where it doesn't run.
pub(super) fn of(place: &Place, process: &str) -> Result<Vec<OwnedFd>, StepError> {
    let record = place.process(process);
    let Some(instance) = Instance::running(&record)? else { return Ok(Vec::new()) };
    let copied = match instance.open() {
        Ok(Some(process)) => copies(&process, instance.pid()),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    copied.map_err(StepError::io("taking the sockets of the process of", &record))
}

/// Of the process that is held, whose id this is.
fn copies(process: &PidFd, pid: i32) -> io::Result<Vec<OwnedFd>> {
    let mut sockets = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        // One that was closed meanwhile is no socket of its any more.
        let is_socket = fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"));
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        match number.filter(|_| is_socket).map(|number| process.copy(number)) {
            Some(Err(Errno::BADF)) | None => {}
            Some(copy) => sockets.push(copy?),
        }
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_sockets_copy_is_the_socket_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = i32::try_from(std::process::id()).expect("an id");
        let process = PidFd::open(own).expect("our own process").expect("it lives");
        let copies = copies(&process, own).expect("our own sockets");
        let addresses = copies.iter().filter_map(|copy| rustix::net::getsockname(copy).ok());
        let expected = listener.local_addr().expect("its address");
        assert!(addresses.filter_map(|it| std::net::SocketAddr::try_from(it).ok()).any(|it| it == expected));
    }
}
