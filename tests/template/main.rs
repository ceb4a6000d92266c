//! Worker templates: every documented form and every mistake has its golden case in `tests/template/`, a `.one` or `.toml` and
//! what becomes of it: the value (as TOML), the findings, and what each provider can't honour.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use landbridge::cli::Style;
use landbridge::cli::findings::render;
use landbridge::template::{self, Code, Findings, Format, Target, parse};
use rstest::rstest;

mod command;
mod model;
mod robust;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

fn corpus() -> Vec<PathBuf> {
    let entries =
        fs::read_dir("tests/template").expect("the golden cases").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "one" || e == "toml")).collect()
}

/// Every finding: of the reading, and when that went well, of each provider that the template is for.
fn all_findings(path: &Path, text: &str) -> Vec<(&'static str, Findings)> {
    match parse(text, Format::of(path, text)) {
        Err(found) => vec![("read", found)],
        Ok(parsed) => {
            let (local, cloud) = (parsed.template.runs_on_physical(), parsed.template.runs_in_cloud());
            let mut found = Vec::new();
            if local || !cloud {
                found.push(("for libvirt", parsed.findings_for(Target::Libvirt, text)));
            }
            if cloud || !local {
                found.push(("for ec2", parsed.findings_for(Target::Ec2, text)));
            }
            found.push(("read", parsed.warnings));
            found
        }
    }
}

/// What a person may learn about a template.
fn told(path: &Path, text: &str) -> String {
    let name = path.file_name().expect("a file name").to_string_lossy();
    let mut out = match parse(text, Format::of(path, text)) {
        Ok(parsed) => template::to_toml(&parsed.template),
        Err(_) => "no template\n".into(),
    };
    for (when, found) in all_findings(path, text).into_iter().rev() {
        let shown = if found.is_empty() { String::new() } else { render(&found, &name, text, Style::Plain) };
        if !shown.is_empty() {
            out.extend(["\n---- ", when, "\n", &shown]);
        }
    }
    out
}

#[rstest]
fn a_template_is_read_or_told_what_is_wrong(
    #[files("tests/template/*.one")]
    #[files("tests/template/*.toml")]
    path: PathBuf,
) {
    let case = path.file_name().expect("a file name").to_string_lossy().replace('.', "_");
    insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(case, told(&path, &read(&path)));
    });
}

#[test]
fn there_are_more_than_fifty_golden_cases_in_opennebulas_syntax() {
    let one = corpus().into_iter().filter(|path| path.extension().is_some_and(|e| e == "one")).count();
    assert!(one > 50, "there are {one}");
}

#[test]
fn every_kind_of_finding_has_a_golden_case() {
    let mut seen = BTreeSet::new();
    for path in corpus() {
        let text = read(&path);
        let found = all_findings(&path, &text).into_iter().flat_map(|(_, found)| found.list);
        seen.extend(found.map(|finding| finding.code));
    }
    let unseen: Vec<_> = Code::TEMPLATE.iter().filter(|code| !seen.contains(code)).map(ToString::to_string).collect();
    assert_eq!(unseen, Vec::<String>::new(), "no golden case shows these");
}

#[rstest]
fn findings_are_inside_the_file_and_complete(
    #[files("tests/template/*.one")]
    #[files("tests/template/*.toml")]
    path: PathBuf,
) {
    let text = read(&path);
    for (_, found) in all_findings(&path, &text) {
        assert!(found.list.is_sorted_by_key(|f| f.place.span.start), "sorted by place");
        for finding in &found.list {
            assert!(text.get(finding.place.span.clone()).is_some(), "{finding:?} is outside");
            assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{:?}", finding.message);
            assert!(!finding.hint.is_empty());
        }
    }
}

#[rstest]
fn what_was_read_is_the_same_in_both_syntaxes(#[files("tests/template/*.one")] path: PathBuf) {
    let text = read(&path);
    let Ok(parsed) = parse(&text, Format::Opennebula) else { return };
    model::assert_kept(&parsed.template);
}

#[test]
fn the_template_of_2008_runs_unchanged() {
    let text = read(Path::new("tests/template/the_template_of_2008.one"));
    let parsed = parse(&text, Format::Opennebula).expect("a good template");
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
    assert_eq!(parsed.findings_for(Target::Libvirt, &text).errors(), 0);
    assert!(parsed.findings_for(Target::Ec2, &text).is_empty());
    for (name, target) in [("libvirt", Target::Libvirt), ("ec2", Target::Ec2)] {
        let asked: Vec<String> =
            template::asked_of(&parsed.template, target).into_iter().map(|(k, v)| format!("{k:<14} {v}")).collect();
        insta::assert_snapshot!(format!("asked_of_{name}"), asked.join("\n"));
    }
}

#[rstest]
#[case::extension("worker.toml", "NAME = x", Format::Toml)]
#[case::tables("worker", "memory = \"1 GiB\"\n\n[ec2]\nami = \"ami-1\"", Format::Toml)]
#[case::amount("worker", "memory = \"128 MiB\"", Format::Toml)]
#[case::opennebula("worker.one", "NAME = x\nMEMORY = 128", Format::Opennebula)]
#[case::lower_case("worker", "name = x\nmemory = \"128\"", Format::Opennebula)]
#[case::a_bracket_of_its_own("worker", "DISK =\n[ SOURCE = a ]", Format::Opennebula)]
fn the_format_follows_from_the_name_or_the_text(#[case] name: &str, #[case] text: &str, #[case] format: Format) {
    assert_eq!(Format::of(Path::new(name), text), format);
}
