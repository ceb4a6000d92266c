//! The smallest parts of OpenNebula's template syntax, as its own lexer has them: white space and comments, names, bare and
//! quoted values. <https://docs.opennebula.io/stable/operation_references/configuration_references/template.html>

use winnow::combinator::{alt, delimited, opt, preceded, repeat};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{none_of, take_till, take_while};

use crate::reading::Placed;

/// What is left of a template's text.
pub(super) type Input<'t> = LocatingSlice<&'t str>;

/// What may stand nowhere in a bare value.
const DELIMITERS: [char; 5] = ['=', '#', ',', '[', ']'];

/// White space, line ends and comments.
pub(super) fn gap(input: &mut Input<'_>) {
    let comment = ('#', take_till(0.., '\n')).void();
    let white = take_while(1.., |c: char| c.is_whitespace() || c == '\u{feff}').void();
    let skipped: winnow::Result<()> = repeat(0.., alt((white, comment))).parse_next(input);
    debug_assert!(skipped.is_ok(), "nothing is a gap too");
}

/// White space up to the line's end.
pub(super) fn blanks(input: &mut Input<'_>) {
    let skipped: winnow::Result<&str> = take_while(0.., |c: char| c.is_whitespace() && c != '\n').parse_next(input);
    debug_assert!(skipped.is_ok(), "nothing is a blank too");
}

/// One character, when it is next.
pub(super) fn accept(input: &mut Input<'_>, wanted: char) -> bool {
    let found: winnow::Result<Option<char>> = opt(wanted).parse_next(input);
    found.is_ok_and(|found| found.is_some())
}

/// The next character.
pub(super) fn peek(input: &Input<'_>) -> Option<char> {
    input.peek_token()
}

/// Where the next character stands.
pub(super) fn here(input: &Input<'_>) -> usize {
    input.current_token_start()
}

/// An attribute's name, in upper case as OpenNebula keeps it.
pub(super) fn name(input: &mut Input<'_>) -> Option<Placed<String>> {
    let word = take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_');
    placed(word.map(str::to_ascii_uppercase), input)
}

/// A value without quotes: one word.
pub(super) fn bare(input: &mut Input<'_>) -> Option<Placed<String>> {
    let word = take_till(1.., |c: char| c.is_whitespace() || DELIMITERS.contains(&c));
    placed(word.map(str::to_owned), input)
}

/// A value in double quotes, which may hold line ends; `\"` is a quote. `None` when it isn't closed.
pub(super) fn quoted(input: &mut Input<'_>) -> Option<Placed<String>> {
    let character = alt((preceded('\\', '"'), none_of('"')));
    let body = repeat(0.., character).fold(String::new, |mut text, character: char| {
        text.push(character);
        text
    });
    placed(delimited('"', body, '"'), input)
}

/// Skips until one of these is next, or the end, and gives the bytes skipped.
pub(super) fn skip_until(input: &mut Input<'_>, stop: &[char]) -> std::ops::Range<usize> {
    let start = here(input);
    let skipped: winnow::Result<&str> = take_till(0.., stop).parse_next(input);
    debug_assert!(skipped.is_ok(), "nothing may be skipped too");
    start..here(input)
}

/// What the parser finds with its place; `None` leaves the input as it was.
fn placed<'t, T>(
    parser: impl Parser<Input<'t>, T, winnow::error::ContextError>,
    input: &mut Input<'t>,
) -> Option<Placed<T>> {
    let start = input.checkpoint();
    let Ok((value, span)) = parser.with_span().parse_next(input) else {
        input.reset(&start);
        return None;
    };
    Some(Placed { value, span })
}
