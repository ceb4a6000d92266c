//! The cluster file: every kind of mistake has its golden case in `tests/check/`, a `.toml` and what a person sees.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use landbridge::cli::Style;
use landbridge::cli::findings::render;
use landbridge::spec::{self, ClusterName, Code, Findings, Severity, Uplink};
use proptest::prelude::*;
use rstest::rstest;

fn findings(text: &str) -> Findings {
    match spec::parse(text) {
        Ok(parsed) => parsed.warnings,
        Err(findings) => findings,
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

#[rstest]
fn a_finding_says_where_what_and_what_instead(#[files("tests/check/*.toml")] path: PathBuf) {
    let text = read(&path);
    let shown = render(&findings(&text), "cluster.toml", &text, Style::Plain);
    let case = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    insta::with_settings!({ snapshot_path => "check", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(case, shown);
    });
}

#[rstest]
fn findings_are_sorted_complete_and_inside_the_file(#[files("tests/check/*.toml")] path: PathBuf) {
    let text = read(&path);
    let findings = findings(&text);
    assert!(findings.list.is_sorted_by_key(|f| f.place.span.start), "sorted by place");
    for finding in &findings.list {
        assert!(text.get(finding.place.span.clone()).is_some(), "{finding:?} is outside");
        assert!(finding.place.line >= 1 && finding.place.line <= text.lines().count() + 1);
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{:?}", finding.message);
        assert!(!finding.hint.is_empty());
    }
}

#[test]
fn every_kind_of_finding_has_a_golden_case() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir("tests/check").expect("the golden cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "toml") {
            seen.extend(findings(&read(&path)).list.into_iter().map(|f| f.code));
        }
    }
    let unseen: Vec<_> = Code::CLUSTER.iter().filter(|code| !seen.contains(code)).map(ToString::to_string).collect();
    assert_eq!(unseen, Vec::<String>::new(), "no golden case shows these");
}

#[test]
fn what_init_writes_passes_check_and_means_the_same() {
    let cluster = spec::example(ClusterName::new("ursa").expect("a name"));
    let text = spec::template(&cluster);
    insta::assert_snapshot!("template", text);
    let parsed = spec::parse(&text).expect("a good file");
    assert_eq!(parsed.cluster, cluster);
    assert!(parsed.warnings.is_empty());
}

#[test]
fn a_template_of_the_longest_name_is_still_a_good_file() {
    let cluster = spec::example(ClusterName::new("abcdefghij").expect("a name"));
    assert_eq!(spec::parse(&spec::template(&cluster)).expect("a good file").cluster, cluster);
}

#[rstest]
#[case::vxlan("{ vxlan = { vni = 77, underlay-mtu = 1550 } }")]
#[case::tagged("{ vlan = { id = 77, parent = \"eth1\" } }")]
#[case::port("{ port = \"eth1\" }")]
fn a_template_keeps_every_kind_of_uplink(#[case] uplink: &str) {
    let text = read(Path::new("tests/check/good.toml")).replace("{ vxlan = { vni = 77 } }", uplink);
    let cluster = spec::parse(&text).expect("a good file").cluster;
    assert_eq!(spec::parse(&spec::template(&cluster)).expect("a good file").cluster, cluster);
}

#[rstest]
#[case::driver("tests/check/good_with_a_driver.toml")]
#[case::cloud("tests/check/good_with_every_key_of_a_cloud.toml")]
fn a_template_keeps_every_key_of_a_host(#[case] file: &str) {
    let cluster = spec::parse(&read(Path::new(file))).expect("a good file").cluster;
    assert_eq!(spec::parse(&spec::template(&cluster)).expect("a good file").cluster, cluster);
}

#[test]
fn a_file_without_hosts_and_optional_keys_takes_the_defaults() {
    let text = r#"
        cluster.name = "u"
        services.scheduler = "none"
        [vlan]
        subnet = "10.77.0.0/24"
        workers = "10.77.0.128/25"
        uplink.port = "eth1"
        [front-end]
        public = "198.51.100.1"
        underlay = "192.0.2.10"
    "#;
    let Err(refused) = spec::parse(text) else { panic!("a range up to the broadcast address was accepted") };
    assert_eq!(refused.list.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::WorkersHoldBroadcast]);

    let cluster = spec::parse(&text.replace("128/25", "128/26")).expect("a good file").cluster;
    assert!(cluster.hosts.is_empty());
    assert!(matches!(cluster.vlan.uplink, Uplink::Port { .. }));
    assert_eq!(cluster.vlan.mtu.bytes(), 1500);
    assert_eq!(cluster.front_end.name.as_str(), "frontend");
    assert_eq!((cluster.front_end.api_port, cluster.front_end.tunnel_port), (7443, 1194));
    assert_eq!(cluster.vlan.front_end().to_string(), "10.77.0.1/24");
}

#[test]
fn a_warning_alone_stops_nothing() {
    let parsed = spec::parse(&read(Path::new("tests/check/subnet_public_is_a_warning.toml"))).expect("only a warning");
    assert_eq!(parsed.warnings.list.len(), 1);
    assert_eq!(parsed.warnings.list[0].severity, Severity::Warning);
}

#[test]
fn the_schema_is_kept_as_it_was_agreed() {
    insta::assert_snapshot!("schema", serde_json::to_string_pretty(&spec::schema()).expect("JSON"));
}

proptest! {
    #[test]
    fn no_text_whatever_makes_it_panic(
        cut in any::<prop::sample::Index>(),
        len in 0_usize..12,
        put in "[a-z0-9 =\"\\[\\]{}.,#\n'é-]{0,8}",
    ) {
        let mut text: Vec<char> = read(Path::new("tests/check/good.toml")).chars().collect();
        let start = cut.index(text.len());
        let end = (start + len).min(text.len());
        text.splice(start..end, put.chars());
        let text: String = text.into_iter().collect();
        let found = findings(&text);
        prop_assert!(found.list.iter().all(|f| text.get(f.place.span.clone()).is_some()));
        prop_assert!(!render(&found, "cluster.toml", &text, Style::Plain).is_empty());
    }
}
