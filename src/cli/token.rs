//! `landbridge token`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed};
use crate::lifecycle::{Offer, TokenRequest};

#[derive(Subcommand, Debug)]
pub(super) enum Token {
    /// Plan a worker and print the one line to run on its machine.
    ///
    /// The token in it is good for one join, for a few minutes. It is fed to the command's standard input, so that it
    /// never stands in a process list.
    Create(Create),
}

#[derive(clap::Args, Debug)]
pub(super) struct Create {
    /// How the machine reaches the vLAN.
    #[arg(long, value_enum, default_value_t = Way::Tunnel)]
    via: Way,
    /// The worker's name; by default the first free of w1, w2, …
    #[arg(long)]
    name: Option<NodeName>,
    /// The host or cloud on which it runs, for the lists.
    #[arg(long, value_name = "HOST")]
    on: Option<NodeName>,
    /// Job slots; by default one a processor.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: Option<u32>,
    /// For how long the token is good.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = life)]
    expires: Duration,
    #[command(flatten)]
    output: Listed,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Way {
    /// An OpenVPN tunnel to the front-end.
    Tunnel,
    /// A NIC on a physical host's bridge.
    Bridge,
}

/// A token's life: a minute to a day.
pub(super) fn life(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| format!("{text:?} is no duration, like 15m or 1h"))?;
    let wanted = Duration::try_from(span).map_err(|_| "a token can't have expired already".to_owned())?;
    if (60..=86_400).contains(&wanted.as_secs()) {
        Ok(wanted)
    } else {
        Err("a token lives from 1m to 24h: it should be used within minutes".into())
    }
}

/// A life in whole seconds.
pub(super) fn secs(life: Duration) -> u32 {
    u32::try_from(life.as_secs()).expect("at most a day")
}

pub(super) fn run(context: &Context, token: &Token) -> Result<ExitCode, CliError> {
    let Token::Create(create) = token;
    let request = TokenRequest {
        name: create.name.clone(),
        via: match create.via {
            Way::Tunnel => Via::Tunnel,
            Way::Bridge => Via::Bridge,
        },
        host: create.on.clone(),
        slots: create.slots,
        life_secs: secs(create.expires),
    };
    let offer: Offer = Client::new(context)?.post("/v1/tokens", &request)?;
    match create.output.output {
        Output::Json => print!("{}", render::json(&offer)),
        Output::Table => print!("{}", describe(&offer, request.via, Timestamp::now())),
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(offer: &Offer, via: Via, now: Timestamp) -> String {
    let way = match via {
        Via::Tunnel => "tunnel",
        Via::Bridge => "bridge",
    };
    let left = offer.expires.duration_since(now) + jiff::SignedDuration::from_millis(500);
    let left = jiff::SignedDuration::from_secs(left.as_secs());
    format!(
        "{} is planned, with address {}. Run this on its machine within {left:#}, as root:\n\n  {}\n",
        offer.name,
        offer.address.ip(),
        line(&format!("join --via {way}"), &offer.token),
    )
}

/// The line to run, in any shell: `echo` is a part of each, so the token stands in no argument list.
pub(super) fn line(command: &str, token: &str) -> String {
    format!("echo {token} | landbridge-node {command} --token-stdin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_run_keeps_the_token_out_of_the_arguments() {
        let offer = Offer {
            name: NodeName::new("w1").expect("a name"),
            address: "10.77.1.1/16".parse().expect("an address"),
            token: "lb1,198.51.100.1:7443,PIN,SECRET".into(),
            expires: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(15),
        };
        insta::assert_snapshot!(describe(&offer, Via::Tunnel, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_token_lives_minutes_not_days() {
        assert_eq!(life("15m"), Ok(Duration::from_mins(15)));
        for bad in ["", "soon", "-5m", "10s", "3d", "48h"] {
            assert!(life(bad).is_err(), "{bad:?} was taken");
        }
    }
}
