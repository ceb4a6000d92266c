//! The journal by itself, with entries of no meaning.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use landbridge_fabric::{Journal, JournalError, State};

type Words = Journal<String>;

struct Place {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place { path: directory.path().join("words.journal"), _directory: directory }
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn pending(journal: &Words) -> Vec<(u64, String)> {
    journal.pending().map(|(id, word)| (id, word.clone())).collect()
}

#[test]
fn what_is_begun_and_not_done_is_pending_for_the_next_process() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    let ids = journal.begin(words(&["a", "b", "c", "d"])).unwrap();
    journal.done(ids[0]).unwrap();
    journal.undone(ids[2]).unwrap();
    drop(journal);
    let journal = Words::open(&place.path).unwrap();
    assert_eq!(pending(&journal), [(2, "b".into()), (4, "d".into())]);
    assert_eq!(journal.entries().next(), Some((1, State::Done, &"a".to_owned())));
}

#[test]
fn the_entry_is_in_the_file_before_begin_returns() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    journal.begin(words(&["a"])).unwrap();
    assert_eq!(fs::read_to_string(&place.path).unwrap(), "{\"begin\":1,\"entry\":\"a\"}\n");
}

#[test]
fn a_line_torn_at_any_byte_is_as_if_it_had_never_been_written() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    journal.begin(words(&["first"])).unwrap();
    let whole = fs::read(&place.path).unwrap().len();
    journal.begin(words(&["second"])).unwrap();
    drop(journal);
    let bytes = fs::read(&place.path).unwrap();
    for cut in whole..bytes.len() {
        fs::write(&place.path, &bytes[..cut]).unwrap();
        let mut journal = Words::open(&place.path).unwrap();
        assert_eq!(pending(&journal), [(1, "first".into())], "cut at {cut}");
        journal.begin(words(&["third"])).unwrap();
        drop(journal);
        assert_eq!(pending(&Words::open(&place.path).unwrap()).len(), 2, "cut at {cut}");
    }
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error_with_its_number() {
    let place = place();
    fs::write(&place.path, "{\"begin\":1,\"entry\":\"a\"}\nnonsense\n{\"done\":1}\n").unwrap();
    let error = Words::open(&place.path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { line: 2, .. }), "{error}");
}

#[test]
fn compaction_keeps_what_is_kept_and_pending_under_its_number_and_gives_no_number_twice() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    let ids = journal.begin(words(&["a", "b", "c", "d"])).unwrap();
    for id in [0, 1, 3] {
        journal.done(ids[id]).unwrap();
    }
    journal.compact(|word| word == "b").unwrap();
    journal.undone(ids[1]).unwrap();
    journal.compact(|_| true).unwrap();
    drop(journal);
    let mut journal = Words::open(&place.path).unwrap();
    let all: Vec<_> = journal.entries().map(|(id, state, word)| (id, state, word.clone())).collect();
    assert_eq!(all, [(3, State::Begun, "c".into())]);
    assert_eq!(journal.begin(words(&["e"])).unwrap(), [5]);
    assert_eq!(journal.bytes(), fs::metadata(&place.path).unwrap().len());
}

#[test]
fn one_process_at_a_time_also_after_compaction() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    assert!(matches!(Words::open(&place.path), Err(JournalError::Busy { .. })));
    journal.compact(|_| true).unwrap();
    assert!(matches!(Words::open(&place.path), Err(JournalError::Busy { .. })));
    drop(journal);
    Words::open(&place.path).unwrap();
}

#[test]
fn only_its_owner_can_read_it() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    let mode = || fs::metadata(&place.path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    journal.compact(|_| true).unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_compaction_that_fails_is_an_error_and_loses_no_entry() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    journal.begin(words(&["a"])).unwrap();
    // A directory stands where the new file would be written.
    fs::create_dir(place.path.with_extension("new")).unwrap();
    assert!(matches!(journal.compact(|_| true), Err(JournalError::Io { .. })));
    journal.begin(words(&["b"])).unwrap();
    drop(journal);
    assert_eq!(pending(&Words::open(&place.path).unwrap()), [(1, "a".into()), (2, "b".into())]);
}

#[test]
fn a_half_written_compaction_is_no_obstacle() {
    let place = place();
    let mut journal = Words::open(&place.path).unwrap();
    journal.begin(words(&["a"])).unwrap();
    let mut beside = fs::File::create(place.path.with_extension("new")).unwrap();
    beside.write_all(b"{\"beg").unwrap();
    journal.compact(|_| true).unwrap();
    drop(journal);
    assert_eq!(pending(&Words::open(&place.path).unwrap()), [(1, "a".into())]);
}
