//! Certificates as a person reads them.

use comfy_table::Cell;
use jiff::Timestamp;
use landbridge_pki::NodeName;
use landbridge_pki::authority::{Breakage, CertificateState, Record, RotationStatus};

use super::table::Columns;
use crate::cli::Style;
use crate::daemon::PkiView;
use crate::view::Tone;

/// Every certificate, and how the authority stands.
pub fn certificates(view: &PkiView, style: Style) -> String {
    let mut columns = Columns::new(&["NAME", "ROLE", "STATE", "FROM", "UNTIL", "AUTHORITY", "SERIAL>"], style);
    for Record { certificate, state } in &view.certificates {
        let (word, tone) = match state {
            CertificateState::Valid => ("valid", Tone::Good),
            CertificateState::Expired => ("expired", Tone::Bad),
            CertificateState::Revoked => ("revoked", Tone::Fading),
        };
        columns.row([
            Cell::new(certificate.name.to_string()),
            Cell::new(certificate.role.to_string()),
            columns.toned(word, tone),
            Cell::new(day(certificate.not_before)),
            Cell::new(day(certificate.not_after)),
            Cell::new(certificate.authority.to_string()),
            Cell::new(certificate.serial.to_string()),
        ]);
    }
    format!("{}\n{}", columns.finish(), authority(&view.authority))
}

/// How the authority stands.
pub fn authority(status: &RotationStatus) -> String {
    match status {
        RotationStatus::Settled { authority, not_after } => {
            format!("authority {authority}, good until {}\n", day(*not_after))
        }
        RotationStatus::Overlap { authority, old, since, renewed, waiting } => format!(
            "authority {authority} takes the place of {old}, since {}\n  renewed: {}\n  waiting: {}\n",
            day(*since),
            names(renewed),
            names(waiting),
        ),
    }
}

/// What will have broken, in the order in which it happens.
pub fn breakages(all: &[Breakage], at: Timestamp) -> String {
    if all.is_empty() {
        return format!("nothing will have broken by {}\n", day(at));
    }
    let told = all.iter().map(|b| format!("{}  {}: {}\n            {}\n", day(b.when), b.name, b.why, b.remedy));
    told.collect()
}

fn names(all: &[NodeName]) -> String {
    match all {
        [] => "nobody".to_owned(),
        all => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}
