//! libvirt's errors as a provider's.

use virt::error::{Error, ErrorDomain, ErrorNumber};

use crate::provider::{FailureKind, Left, ProviderError};

/// What QEMU, the kernel and libvirt say when a host has no room.
const FULL: [&str; 3] = ["Cannot allocate memory", "cannot set up guest memory", "No space left on device"];

/// A failed call: what was tried on what, libvirt's words, and what came of it as far as the call alone can tell.
pub(super) fn failure(operation: &'static str, object: &str, error: &Error) -> ProviderError {
    let kind = kind(error);
    ProviderError {
        operation,
        object: object.to_owned(),
        seen: error.message().to_owned(),
        remedy: remedy(kind).into(),
        kind,
        left: if kind == FailureKind::Passing { Left::Unknown } else { Left::Nothing },
    }
}

/// A refusal of our own.
pub(super) fn refused(operation: &'static str, object: &str, seen: String, remedy: &str) -> ProviderError {
    let (object, remedy) = (object.to_owned(), remedy.to_owned());
    ProviderError { operation, object, seen, remedy, kind: FailureKind::Refused, left: Left::Nothing }
}

/// The host was not reached, or did not answer in time.
pub(super) fn unreachable(uri: &str, seen: String) -> ProviderError {
    ProviderError {
        operation: "reaching the host's libvirt",
        object: uri.to_owned(),
        seen,
        remedy: format!("try it by hand: virsh --connect {uri} version"),
        kind: FailureKind::Passing,
        left: Left::Unknown,
    }
}

fn kind(error: &Error) -> FailureKind {
    use ErrorNumber as E;
    match error.code() {
        _ if FULL.iter().any(|words| error.message().contains(words)) => FailureKind::Full,
        E::NoMemory => FailureKind::Full,
        E::NoConnect
        | E::InvalidConn
        | E::Rpc
        | E::Ssh
        | E::Libssh
        | E::OperationTimeout
        | E::ResourceBusy
        | E::OperationAborted
        | E::AgentUnresponsive => FailureKind::Passing,
        // The way to the host broke off; from anywhere else it is a file that is missing, or the like.
        E::SystemError if matches!(error.domain(), ErrorDomain::Rpc | ErrorDomain::Remote) => FailureKind::Passing,
        _ => FailureKind::Refused,
    }
}

fn remedy(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Refused => "see the template and the host's images; the host's libvirt log has more",
        FailureKind::Full => "end something on the host, or boot the worker on another one",
        FailureKind::Passing => "see whether the host and its libvirtd run, then try again",
    }
}
