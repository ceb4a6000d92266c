//! Refusals, in words. Pure.

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::{Refusal, RefusalCode, Via};
use landbridge_pki::{NodeName, Role};

use crate::store::TokenRefusal;

/// How far behind the front-end's a machine's clock may be. A certificate starts this much before it is issued.
pub const CLOCK_ALLOWANCE: SignedDuration = SignedDuration::from_secs(60);

const NEW_TOKEN: &str = "make a new one on the front-end: landbridge token create";

/// A token that is not taken.
pub(super) fn token(refusal: TokenRefusal, now: Timestamp) -> Refusal {
    let ago = |at: Timestamp| format!("{:#}", rounded(now.duration_since(at)));
    let (code, message, remedy) = match refusal {
        TokenRefusal::Unknown => {
            (RefusalCode::UnknownToken, "the front-end knows no such token".to_owned(), NEW_TOKEN.to_owned())
        }
        TokenRefusal::Expired(at) => {
            (RefusalCode::ExpiredToken, format!("the token expired {} ago", ago(at)), NEW_TOKEN.to_owned())
        }
        TokenRefusal::Used(at) => (
            RefusalCode::UsedToken,
            format!("the token was used {} ago, by another key: a token is for one join", ago(at)),
            format!("if that was not you, destroy the worker that joined with it; {NEW_TOKEN}"),
        ),
        TokenRefusal::WrongRole(role) => {
            (RefusalCode::WrongToken, format!("the token is for a {role}"), for_role(role).to_owned())
        }
        TokenRefusal::WrongWay(via) => (
            RefusalCode::WrongToken,
            format!("the token is for a worker that joins through a {}", way(via)),
            format!("join with --via {}, or make another token", way(via)),
        ),
    };
    Refusal { code, message, remedy }
}

fn for_role(role: Role) -> &'static str {
    match role {
        Role::Host => "use it with landbridge-node host join",
        _ => "use it with landbridge-node join",
    }
}

fn way(via: Via) -> &'static str {
    match via {
        Via::Tunnel => "tunnel",
        Via::Bridge => "bridge",
    }
}

/// Whether a machine whose clock shows `clock` (seconds since 1970) could use a certificate that is issued `now`.
pub(super) fn clock(clock: i64, now: Timestamp) -> Result<(), Refusal> {
    let off = SignedDuration::from_secs(clock.saturating_sub(now.as_second()));
    // A fast clock only shortens a certificate's life; a day of it already means that something is wrong.
    if -CLOCK_ALLOWANCE <= off && off <= SignedDuration::from_hours(24) {
        return Ok(());
    }
    let direction = if off.is_negative() { "behind" } else { "ahead of" };
    Err(Refusal {
        code: RefusalCode::ClockSkew,
        message: format!("the machine's clock is {:#} {direction} the front-end's", rounded(off.abs())),
        remedy: "set the clock (chronyd -q, or date -s), then join again with the same token".into(),
    })
}

fn rounded(duration: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(duration.as_secs())
}

/// A certificate that was revoked, or whose owner has left.
pub(super) fn revoked(name: &NodeName) -> Refusal {
    Refusal {
        code: RefusalCode::Revoked,
        message: format!("{name} is no longer part of the cluster: its certificate was revoked"),
        remedy: "join again with a new token: landbridge token create, on the front-end".into(),
    }
}

/// A CSR that is not taken, in the authority's words.
pub(super) fn request(why: &dyn std::error::Error) -> Refusal {
    Refusal {
        code: RefusalCode::BadRequest,
        message: format!("the certificate request is not taken: {why}"),
        remedy: "use landbridge-node, which makes an EC P-256 key on the machine itself".into(),
    }
}

/// A worker or host that is leaving may not come back under its old name.
pub(super) fn leaving(name: &NodeName) -> Refusal {
    Refusal {
        code: RefusalCode::Revoked,
        message: format!("{name} is leaving the cluster"),
        remedy: "wait until it is gone, then join with a new token".into(),
    }
}

/// Something failed here; its cause is in the log, not on the wire.
pub(super) fn internal(operation: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "{operation} failed");
    Refusal {
        code: RefusalCode::Internal,
        message: format!("{operation} failed on the front-end"),
        remedy: "its log says why: /var/log/landbridge/daemon.log".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

    #[test]
    fn a_clock_is_off_when_the_certificate_would_not_be_valid_yet() {
        let at = |off: i64| clock(NOON.as_second() + off, NOON).map_err(|r| r.message);
        assert_eq!(at(-60), Ok(()));
        assert_eq!(at(3600), Ok(()));
        assert_eq!(at(-7200), Err("the machine's clock is 2h behind the front-end's".into()));
        assert_eq!(at(200_000), Err("the machine's clock is 55h 33m 20s ahead of the front-end's".into()));
        assert!(at(i64::MIN / 2).is_err(), "no overflow");
    }

    #[test]
    fn every_refused_token_says_what_to_do() {
        let ago = NOON - SignedDuration::from_mins(5);
        let all = [
            TokenRefusal::Unknown,
            TokenRefusal::Expired(ago),
            TokenRefusal::Used(ago),
            TokenRefusal::WrongRole(Role::Host),
            TokenRefusal::WrongRole(Role::Worker),
            TokenRefusal::WrongWay(Via::Bridge),
        ];
        let said: Vec<_> = all.map(|r| token(r, NOON)).iter().map(|r| format!("{}; {}", r.message, r.remedy)).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
