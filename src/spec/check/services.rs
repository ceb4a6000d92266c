//! `[services]`: NFS, NIS, the queue.

use std::path::{Component, Path, PathBuf};

use crate::reading::{Placed, Sink, closest};
use crate::spec::document::{NfsTable, NisTable, ServicesSection};
use crate::spec::{Code, Nfs, Nis, SchedulerKind, Services};

/// The section by itself.
pub(super) fn check(section: &ServicesSection, sink: &Sink<'_>) -> Option<Services> {
    let nfs = section.nfs.as_ref().map(|table| nfs(table, sink));
    let nis = section.nis.as_ref().map(|table| nis(table, sink));
    let scheduler = section.scheduler.as_ref().and_then(|text| scheduler(text, sink));
    let nfs = match nfs {
        Some(nfs) => Some(nfs?),
        None => None,
    };
    let nis = match nis {
        Some(nis) => Some(nis?),
        None => None,
    };
    Some(Services { nfs, nis, scheduler: scheduler? })
}

fn scheduler(text: &Placed<String>, sink: &Sink<'_>) -> Option<SchedulerKind> {
    match text.value.as_str() {
        "sge" => Some(SchedulerKind::Sge),
        "none" => Some(SchedulerKind::None),
        "slurm" => {
            let hint = "use \"sge\" (Grid Engine), or \"none\"";
            sink.error(Code::SchedulerNotYet, &text.span, "Slurm is not built yet", hint);
            None
        }
        other => {
            let known = ["sge", "slurm", "none"];
            let hint = match closest(other, &known) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => "use \"sge\" (Grid Engine), or \"none\"".to_owned(),
            };
            sink.error(Code::SchedulerUnknown, &text.span, format!("{other:?} is no scheduler"), hint);
            None
        }
    }
}

/// A domain is a directory's name in /var/yp and a word in yp.conf; the protocol takes 64 bytes (YPMAXDOMAIN, yp_prot.h).
fn nis(table: &NisTable, sink: &Sink<'_>) -> Option<Nis> {
    let domain = table.domain.as_ref()?;
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fits = (1..=64).contains(&domain.value.len());
    if fits && domain.value.chars().all(letter) && !domain.value.starts_with('.') {
        return Some(Nis { domain: domain.value.clone() });
    }
    let hint = "use 1 to 64 letters, digits, dots, hyphens and underscores, for example \"ursa.vlan\"";
    sink.error(Code::NisDomainIllFormed, &domain.span, format!("{:?} is no NIS domain", domain.value), hint);
    None
}

fn nfs(table: &NfsTable, sink: &Sink<'_>) -> Option<Nfs> {
    let list = table.exports.as_ref()?;
    if list.value.is_empty() {
        let hint = "name at least one directory, for example \"/home\", or leave `nfs` out";
        sink.error(Code::ExportsEmpty, &list.span, "NFS without an export serves nobody", hint);
        return None;
    }
    let exports: Vec<_> = list.value.iter().map(|text| export(text, sink)).collect();
    check_apart(&list.value, sink);
    Some(Nfs { exports: exports.into_iter().collect::<Option<_>>()? })
}

fn export(text: &Placed<String>, sink: &Sink<'_>) -> Option<PathBuf> {
    let path = Path::new(&text.value);
    if !text.value.starts_with('/') {
        let message = format!("the export {:?} isn't an absolute path", text.value);
        sink.error(Code::ExportRelative, &text.span, message, format!("write it from the root: \"/{}\"", text.value));
        return None;
    }
    if path == Path::new("/") {
        let hint = "name the directories that workers need, for example \"/home\"";
        sink.error(Code::ExportRoot, &text.span, "exporting \"/\" would give every worker the whole front-end", hint);
        return None;
    }
    let plain = |c: char| !(c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '#' | ';' | '{' | '}'));
    if !text.value.chars().all(plain) || path.components().any(|part| part == Component::ParentDir) {
        let message = format!("the export {:?} can't be written to an exports file", text.value);
        sink.error(
            Code::ExportIllFormed,
            &text.span,
            message,
            "use a path without white space, quotes, braces and `..`",
        );
        return None;
    }
    Some(path.components().collect())
}

/// Exports inside each other would be mounted over each other.
fn check_apart(texts: &[Placed<String>], sink: &Sink<'_>) {
    for (n, text) in texts.iter().enumerate() {
        let path = Path::new(&text.value);
        for first in &texts[..n] {
            let earlier = Path::new(&first.value);
            if path == earlier {
                let message = format!("{:?} is exported twice", text.value);
                sink.clash(Code::ExportTwice, &text.span, (&first.span, "the first one"), message, "once is enough");
            } else if path != Path::new("/")
                && earlier != Path::new("/")
                && (path.starts_with(earlier) || earlier.starts_with(path))
            {
                let message = format!("one export is inside another: {:?} and {:?}", first.value, text.value);
                let hint = "keep the outer one: it shows the inner one as well";
                sink.clash(Code::ExportNested, &text.span, (&first.span, "the other one"), message, hint);
            }
        }
    }
}
