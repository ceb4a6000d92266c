//! `landbridge events`.

use std::process::ExitCode;

use jiff::tz::TimeZone;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed};
use crate::store::Event;

#[derive(clap::Args, Debug)]
pub(super) struct Events {
    /// At most this many.
    #[arg(long, short = 'n', default_value_t = 20)]
    most: u32,
    #[command(flatten)]
    output: Listed,
}

pub(super) fn run(context: &Context, events: &Events) -> Result<ExitCode, CliError> {
    let all: Vec<Event> = Client::new(context)?.get(&format!("/v1/events?most={}", events.most))?;
    if events.output.output == Output::Json {
        print!("{}", render::json(&all));
        return Ok(ExitCode::SUCCESS);
    }
    for event in all {
        let at = event.at.to_zoned(TimeZone::system());
        println!("{}  {:<12} {}", at.strftime("%F %T"), event.subject, event.text);
    }
    Ok(ExitCode::SUCCESS)
}
