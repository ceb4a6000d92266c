//! A block's place in a file's text. Pure: bytes in, bytes out.
//!
//! Everything that is not ours stays byte for byte, so that [`unset`] after [`set`] gives back the very same bytes. A line
//! that a block stands in for is kept behind `# landbridge:OWNER:NAME was: `. A file whose last line has no newline gets
//! one, and [`NOTE`] behind it remembers that until the last block behind it is gone.

use std::ops::Range;

use crate::machine::Block;

const NOTE: &[u8] = b"# landbridge: no newline at the end of the line above\n";
const ANY_OWNER: &[u8] = b"# landbridge:";

/// What tells a block from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    begin: String,
    end: String,
    was: String,
}

/// Marker lines that don't pair up. Nobody can tell what is ours: the file is not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is {found:?}, but {expected}; repair the marker lines by hand")]
pub(super) struct Damaged {
    line: usize,
    found: String,
    expected: &'static str,
}

impl Marker {
    /// The markers of the block `OWNER:NAME`.
    pub(super) fn new(tag: &str) -> Self {
        let line = |what: &str| format!("# landbridge:{tag} {what}");
        Self { begin: line("begin"), end: line("end"), was: line("was: ") }
    }

    /// From the start of the begin line to behind the end line.
    fn find(&self, content: &[u8]) -> Result<Option<Range<usize>>, Damaged> {
        let (mut start, mut range, mut at) = (None, None, 0);
        for (number, line) in lines(content).enumerate() {
            let text = line.trim_ascii_end();
            let damaged =
                |expected| Damaged { line: number + 1, found: String::from_utf8_lossy(text).into(), expected };
            if text == self.begin.as_bytes() {
                if start.is_some() || range.is_some() {
                    return Err(damaged("the block has begun before"));
                }
                start = Some((at, number));
            } else if text == self.end.as_bytes() {
                let (start, _) = start.take().ok_or_else(|| damaged("no begin stands before it"))?;
                range = Some(start..at + line.len());
            }
            at += line.len();
        }
        match start {
            Some((_, number)) => {
                Err(Damaged { line: number + 1, found: self.begin.clone(), expected: "no end stands behind it" })
            }
            None => Ok(range),
        }
    }

    /// Lines of others, each with our mark before it exactly if it is replaced.
    fn mark(&self, others: &[u8], replaces: &[String]) -> Vec<u8> {
        let mut marked = Vec::with_capacity(others.len());
        let mut in_block = false;
        for line in lines(others) {
            let ends = is_marker(line, b" end");
            in_block = !ends && (in_block || is_marker(line, b" begin"));
            let original = line.strip_prefix(self.was.as_bytes()).unwrap_or(line);
            let text = original.trim_ascii_end();
            if !in_block && !ends && replaces.iter().any(|start| text.starts_with(start.trim_end().as_bytes())) {
                marked.extend_from_slice(self.was.as_bytes());
            }
            marked.extend_from_slice(original);
        }
        marked
    }

    fn render(&self, text: &str) -> String {
        let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        format!("{}\n{text}{newline}{}\n", self.begin, self.end)
    }
}

/// The file with the block in it, as it should be. A block that is there already is replaced where it stands, unless it
/// should be first and isn't.
pub(super) fn set(content: &[u8], marker: &Marker, block: &Block) -> Result<Vec<u8>, Damaged> {
    let (before, after) = match marker.find(content)? {
        Some(range) if block.first && !only_blocks(&content[..range.start]) => {
            return set(&unset(content, marker)?, marker, block);
        }
        Some(range) => (content[..range.start].to_vec(), &content[range.end..]),
        None if block.first => (vec![], content),
        None => (ended(content), &[][..]),
    };
    let block_text = marker.render(&block.text).into_bytes();
    Ok([marker.mark(&before, &block.replaces), block_text, marker.mark(after, &block.replaces)].concat())
}

/// The file without the block, as others left it.
pub(super) fn unset(content: &[u8], marker: &Marker) -> Result<Vec<u8>, Damaged> {
    let Some(range) = marker.find(content)? else { return Ok(marker.mark(content, &[])) };
    let mut before = marker.mark(&content[..range.start], &[]);
    let after = marker.mark(&content[range.end..], &[]);
    let followed_by_block = lines(&after).next().is_some_and(|line| is_marker(line, b" begin"));
    if before.ends_with(NOTE) && !followed_by_block {
        before.truncate(before.len() - NOTE.len());
        if after.is_empty() {
            before.pop();
        }
    }
    Ok([before, after].concat())
}

/// Whether the file has the block.
pub(super) fn has(content: &[u8], marker: &Marker) -> Result<bool, Damaged> {
    marker.find(content).map(|range| range.is_some())
}

fn ended(content: &[u8]) -> Vec<u8> {
    if content.is_empty() || content.ends_with(b"\n") { content.to_vec() } else { [content, b"\n", NOTE].concat() }
}

fn only_blocks(content: &[u8]) -> bool {
    let mut in_block = false;
    lines(content).all(|line| {
        let inside = in_block;
        in_block = !is_marker(line, b" end") && (in_block || is_marker(line, b" begin"));
        inside || in_block
    })
}

fn is_marker(line: &[u8], what: &[u8]) -> bool {
    let name = line.trim_ascii_end().strip_prefix(ANY_OWNER).and_then(|line| line.strip_suffix(what));
    name.is_some_and(|name| !name.contains(&b' '))
}

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n')
}
