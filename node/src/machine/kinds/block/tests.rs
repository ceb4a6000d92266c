#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::text::{Marker, has, set, unset};
use crate::machine::Block;

fn block(text: &str, first: bool, replaces: &[&str]) -> Block {
    Block {
        path: "/etc/x".into(),
        name: "hosts".into(),
        text: text.into(),
        first,
        replaces: replaces.iter().map(ToString::to_string).collect(),
    }
}

fn marker() -> Marker {
    Marker::new("ursa:hosts")
}

fn shown(content: &[u8]) -> String {
    String::from_utf8(content.to_vec()).unwrap()
}

#[test]
fn a_block_stands_behind_everything_else() {
    let set = set(b"127.0.0.1 localhost\n", &marker(), &block("10.77.0.1 front\n", false, &[])).unwrap();
    insta::assert_snapshot!(shown(&set), @r"
    127.0.0.1 localhost
    # landbridge:ursa:hosts begin
    10.77.0.1 front
    # landbridge:ursa:hosts end
    ");
}

#[test]
fn lines_that_it_stands_in_for_are_commented_out_and_given_back() {
    let file = b"group: files\npasswd: files systemd\npasswdx: files";
    let set = set(file, &marker(), &block("passwd: files nis\n", true, &["passwd:"])).unwrap();
    insta::assert_snapshot!(shown(&set), @r"
    # landbridge:ursa:hosts begin
    passwd: files nis
    # landbridge:ursa:hosts end
    group: files
    # landbridge:ursa:hosts was: passwd: files systemd
    passwdx: files
    ");
    assert_eq!(unset(&set, &marker()).unwrap(), file);
}

#[test]
fn a_missing_last_newline_is_remembered_in_the_file() {
    let set = set(b"a\nb", &marker(), &block("ours\n", false, &[])).unwrap();
    insta::assert_snapshot!(shown(&set), @r"
    a
    b
    # landbridge: no newline at the end of the line above
    # landbridge:ursa:hosts begin
    ours
    # landbridge:ursa:hosts end
    ");
    assert_eq!(unset(&set, &marker()).unwrap(), b"a\nb");
}

#[test]
fn what_others_append_behind_the_block_stays_on_lines_of_its_own() {
    let mut file = set(b"a", &marker(), &block("ours\n", false, &[])).unwrap();
    file.extend(b"theirs\n");
    assert_eq!(unset(&file, &marker()).unwrap(), b"a\ntheirs\n");
}

#[test]
fn a_changed_block_is_replaced_where_it_stands() {
    let mut file = set(b"a\n", &marker(), &block("one\n", false, &[])).unwrap();
    file.extend(b"theirs\n");
    let changed = set(&file, &marker(), &block("two\n", false, &[])).unwrap();
    assert_eq!(shown(&changed), shown(&file).replace("one", "two"));
}

#[test]
fn a_block_that_should_be_first_moves_to_the_front_again() {
    let wanted = block("ours\n", true, &[]);
    let file = set(b"a\n", &marker(), &wanted).unwrap();
    let pushed = [b"theirs\n", file.as_slice()].concat();
    let moved = set(&pushed, &marker(), &wanted).unwrap();
    assert!(moved.starts_with(b"# landbridge:ursa:hosts begin\n"), "{}", shown(&moved));
    assert_eq!(unset(&moved, &marker()).unwrap(), b"theirs\na\n");
}

#[test]
fn two_blocks_that_should_be_first_leave_each_other_in_peace() {
    let wanted = block("ours\n", true, &[]);
    let other = Marker::new("lynx:hosts");
    let one = set(b"a\n", &marker(), &wanted).unwrap();
    let both = set(&one, &other, &wanted).unwrap();
    assert_eq!(set(&both, &marker(), &wanted).unwrap(), both);
    assert_eq!(set(&both, &other, &wanted).unwrap(), both);
}

#[test]
fn lines_inside_the_block_of_another_cluster_are_not_replaced() {
    let other = Marker::new("lynx:nis");
    let file = set(b"", &other, &block("passwd: files\n", false, &[])).unwrap();
    let both = set(&file, &marker(), &block("passwd: nis\n", false, &["passwd:"])).unwrap();
    assert!(both.starts_with(&file), "{}", shown(&both));
}

#[test]
fn damaged_markers_are_an_error_that_names_the_line() {
    let error = |file: &str| set(file.as_bytes(), &marker(), &block("x\n", false, &[])).unwrap_err().to_string();
    insta::assert_snapshot!(error("a\n# landbridge:ursa:hosts begin\nb\n"), @r##"line 2 is "# landbridge:ursa:hosts begin", but no end stands behind it; repair the marker lines by hand"##);
    insta::assert_snapshot!(error("# landbridge:ursa:hosts end\n"), @r##"line 1 is "# landbridge:ursa:hosts end", but no begin stands before it; repair the marker lines by hand"##);
    let twice = "# landbridge:ursa:hosts begin\n# landbridge:ursa:hosts end\n".repeat(2);
    insta::assert_snapshot!(error(&twice), @r##"line 3 is "# landbridge:ursa:hosts begin", but the block has begun before; repair the marker lines by hand"##);
}

/// Files of others: text-like lines, lines that look nearly like ours, and arbitrary bytes.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[ -~]{0,12}",
        Just("passwd: files ".to_owned()),
        Just("# landbridge:lynx:hosts was: passwd: x".to_owned()),
        Just("# landbridge: something".to_owned()),
        Just("\r".to_owned()),
    ];
    let text = (prop::collection::vec(line, 0..8), any::<bool>()).prop_map(|(lines, newline)| {
        let end = if newline && !lines.is_empty() { "\n" } else { "" };
        (lines.join("\n") + end).into_bytes()
    });
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

fn wanted() -> impl Strategy<Value = Block> {
    let replaces = prop_oneof![Just(vec![]), Just(vec!["passwd:"]), Just(vec!["p", "#"])];
    ("([ -~]{0,8}\n){0,3}", any::<bool>(), replaces).prop_map(|(text, first, replaces)| block(&text, first, &replaces))
}

proptest! {
    #[test]
    fn undoing_gives_back_the_very_bytes(file in file(), wanted in wanted()) {
        let set = set(&file, &marker(), &wanted).unwrap();
        prop_assert!(has(&set, &marker()).unwrap());
        prop_assert_eq!(unset(&set, &marker()).unwrap(), file);
    }

    #[test]
    fn setting_twice_is_setting_once(file in file(), wanted in wanted()) {
        let once = set(&file, &marker(), &wanted).unwrap();
        prop_assert_eq!(set(&once, &marker(), &wanted).unwrap(), once);
    }

    #[test]
    fn the_last_wish_alone_counts(file in file(), one in wanted(), two in wanted()) {
        prop_assume!(one.first == two.first);
        let both = set(&set(&file, &marker(), &one).unwrap(), &marker(), &two).unwrap();
        prop_assert_eq!(both, set(&file, &marker(), &two).unwrap());
    }

    #[test]
    fn two_blocks_are_undone_in_any_order(file in file(), one in wanted(), two in wanted(), swap in any::<bool>()) {
        // The second block must not replace lines that only the first one's marks would bring.
        prop_assume!(two.replaces.is_empty());
        let other = Marker::new("lynx:other");
        let both = set(&set(&file, &marker(), &one).unwrap(), &other, &two).unwrap();
        let (first, second) = if swap { (marker(), other) } else { (other, marker()) };
        prop_assert_eq!(unset(&unset(&both, &first).unwrap(), &second).unwrap(), file);
    }
}
