//! Reads a token from where the command line says.

use std::fs::File;
use std::io::{self, Read};

use zeroize::Zeroizing;

use super::args::TokenArgs;
use super::exit::{Exit, Problem};
use crate::user_data::{self, Sources};
use crate::wire::Token;
use crate::words;

/// More than any token is long.
const LONGEST: u64 = 1024;

/// The token; `None` when the command line names no place.
pub(super) fn read(args: &TokenArgs) -> Result<Option<Token>, Problem> {
    let problem = |text: String| Problem { text, exit: Exit::Token };
    let text = match &args.token_file {
        Some(path) => {
            let read = File::open(path).and_then(text);
            read.map_err(|e| problem(format!("reading the token from {}: {e}", path.display())))?
        }
        None if args.token_stdin => {
            text(io::stdin()).map_err(|e| problem(format!("reading the token from standard input: {e}")))?
        }
        None => return Ok(None),
    };
    text.parse().map(Some).map_err(|e: crate::wire::TokenError| problem(e.to_string()))
}

/// The token that this machine was made with.
pub(super) async fn of_user_data() -> Result<Token, Problem> {
    let found = user_data::token(&Sources::default()).await;
    found.map_err(|e| Problem { text: words::chain(&e), exit: Exit::Token })
}

fn text(from: impl Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}
