//! The house's rules, as ARCHITECTURE.md tells them, kept by reading the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom in `src/`: a module, and those that it may name. What isn't listed may import nothing of ours.
const IMPORTS: &[(&str, &[&str])] = &[
    ("reading", &[]),
    ("spec", &["naming", "reading"]),
    ("naming", &["spec"]),
    ("network", &["naming", "spec"]),
    ("ipam", &[]),
    ("paths", &[]),
    ("program", &[]),
    ("template", &["reading"]),
    ("bootstrap", &["naming"]),
    ("provider", &["bootstrap", "naming", "paths", "spec", "template"]),
    ("placement", &[]),
    ("worker", &[]),
    ("view", &[]),
    ("topology", &["view"]),
    ("store", &["ipam", "placement", "template", "worker"]),
    ("tunnel", &["naming", "paths", "spec"]),
    ("services", &["naming", "paths", "spec"]),
    ("scheduler", &["paths", "spec"]),
    ("enroll", &[]),
    ("frontend", &["enroll", "network", "paths", "scheduler", "services", "spec", "tunnel"]),
    (
        "lifecycle",
        &[
            "bootstrap",
            "enroll",
            "frontend",
            "naming",
            "network",
            "paths",
            "placement",
            "program",
            "provider",
            "scheduler",
            "services",
            "spec",
            "store",
            "template",
            "tunnel",
            "worker",
        ],
    ),
    (
        "daemon",
        &[
            "enroll",
            "frontend",
            "lifecycle",
            "naming",
            "paths",
            "placement",
            "provider",
            "scheduler",
            "spec",
            "store",
            "template",
            "tunnel",
            "view",
            "worker",
        ],
    ),
    (
        "cli",
        &[
            "daemon",
            "frontend",
            "lifecycle",
            "paths",
            "placement",
            "program",
            "scheduler",
            "spec",
            "store",
            "template",
            "topology",
            "view",
        ],
    ),
];

/// No tokio, no process, no file system, no socket.
const PURE: &[&str] = &[
    "reading",
    "spec",
    "naming",
    "network",
    "ipam",
    "worker",
    "view",
    "topology",
    "template",
    "placement",
    "bootstrap",
];
const IMPURE: &[&str] = &["tokio", "std::process", "std::fs", "std::net::Tcp", "std::net::Udp", "std::os::unix::net"];

/// Files that may hold `unsafe`, each with its reason in it.
const UNSAFE: &[&str] =
    &["fabric/src/kernel/tap.rs", "node/src/machine/readable.rs", "node/src/nice.rs", "netns-tests/src/net/tap.rs"];

/// The longest source file, tests aside.
const MOST_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// Every Rust file below a directory.
fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("listing {}: {error}", folder.display())) {
            let path = entry.expect("a directory's entry").path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// A file's code without comments and without its unit tests.
fn code(path: &Path) -> String {
    let text = read(path);
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}

/// The files of one module of `src/`.
fn module(name: &str) -> Vec<PathBuf> {
    let folder = root().join("src").join(name);
    let mut files = if folder.is_dir() { rust_files(&folder) } else { Vec::new() };
    files.extend(Some(root().join(format!("src/{name}.rs"))).filter(|file| file.exists()));
    files.retain(|file| !file.ends_with("tests.rs") && !file.ends_with("fixture.rs"));
    assert!(!files.is_empty(), "there is no module {name}");
    files
}

/// The modules of ours that a piece of code names: `crate::spec::…`, `use crate::{naming, services}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = rest.strip_prefix('{').map_or(rest, |group| group.split("};").next().unwrap_or(group));
        let heads: Vec<&str> = if list.len() == rest.len() { vec![rest] } else { list.split(',').collect() };
        for head in heads {
            let name: String = head.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            names.insert(name);
        }
    }
    names.retain(|name| root().join("src").join(name).is_dir() || root().join(format!("src/{name}.rs")).exists());
    names
}

#[test]
fn modules_import_only_those_below_them() {
    for (name, allowed) in IMPORTS {
        for file in module(name) {
            let imported = named(&code(&file));
            let wrong: Vec<_> = imported.iter().filter(|m| m != name && !allowed.contains(&m.as_str())).collect();
            assert!(wrong.is_empty(), "{} imports {wrong:?}", file.display());
        }
    }
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let known: BTreeSet<&str> = IMPORTS.iter().map(|(name, _)| *name).collect();
    for line in read(&root().join("src/lib.rs")).lines() {
        let Some(name) = line.strip_prefix("pub mod ") else { continue };
        assert!(known.contains(name.trim_end_matches(';')), "{name} is missing in IMPORTS and in ARCHITECTURE.md");
    }
}

#[test]
fn pure_modules_touch_nothing_outside() {
    for file in PURE.iter().flat_map(|name| module(name)) {
        let text = code(&file);
        for word in IMPURE {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn crates_depend_downwards_and_the_node_stays_small() {
    let forbidden: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("fabric", &["landbridge-pki", "landbridge-node", "landbridge"][..]),
        ("pki", &["landbridge-fabric", "landbridge-node", "tokio", "rtnetlink"]),
        ("node", &["openssl", "reqwest", "virt", "aws-sdk-ec2", "rusqlite", "axum"]),
    ]);
    for (folder, names) in forbidden {
        let manifest: toml::Table = read(&root().join(folder).join("Cargo.toml")).parse().expect("a manifest");
        let dependencies = manifest["dependencies"].as_table().expect("dependencies");
        let wrong: Vec<_> = names.iter().filter(|name| dependencies.contains_key(**name)).collect();
        assert!(wrong.is_empty(), "{folder} depends on {wrong:?}");
    }
    let whole: toml::Table = read(&root().join("Cargo.toml")).parse().expect("a manifest");
    let pki = &whole["workspace"]["dependencies"]["landbridge-pki"];
    assert_eq!(pki["default-features"].as_bool(), Some(false), "the node would get the authority, and OpenSSL with it");
}

#[test]
fn only_the_daemon_is_linked_with_libvirt() {
    let linked = |program: &str| {
        let bytes = std::fs::read(program).expect("the program is built");
        bytes.windows(12).any(|name| name == b"libvirt.so.0")
    };
    assert!(linked(env!("CARGO_BIN_EXE_landbridged")));
    assert!(!linked(env!("CARGO_BIN_EXE_landbridge")), "a command would start ten milliseconds later");
}

#[test]
fn one_crypto_provider_is_in_the_whole_tree() {
    let lock = read(&root().join("Cargo.lock"));
    assert!(!lock.contains("name = \"aws-lc-rs\""), "aws-lc is in the tree: rustls would have two providers");
}

#[test]
fn only_the_command_line_prints_and_only_main_exits() {
    for file in rust_files(&root().join("src")) {
        let text = code(&file);
        let inside = file.strip_prefix(root()).expect("below the root");
        let speaks = inside.starts_with("src/cli") || inside.ends_with("main.rs");
        let prints = ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|word| text.contains(word));
        assert!(speaks || !prints, "{} prints", inside.display());
        assert!(!text.contains("process::exit"), "{} exits", inside.display());
    }
}

#[test]
fn sources_stay_short_and_unsafe_stays_where_it_is_named() {
    for folder in ["src", "fabric/src", "pki/src", "node/src", "netns-tests/src"] {
        for file in rust_files(&root().join(folder)) {
            let inside = file.strip_prefix(root()).expect("below the root").display().to_string();
            let lines = read(&file).lines().count();
            assert!(lines <= MOST_LINES || inside.contains("tests"), "{inside} has {lines} lines");
            let uses = code(&file).contains("unsafe {");
            assert!(!uses || UNSAFE.contains(&inside.as_str()), "{inside} has unsafe code");
        }
    }
}

/// The rows of the table in ARCHITECTURE.md whose header begins with `first`.
fn table(first: &str) -> Vec<Vec<String>> {
    let text = read(&root().join("ARCHITECTURE.md"));
    let mut rows = text.lines().skip_while(|line| !line.starts_with(&format!("| {first} |"))).skip(2);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    std::iter::from_fn(|| rows.next().filter(|line| line.starts_with('|'))).map(cells).collect()
}

#[test]
fn each_invariant_is_kept_by_tests_that_exist() {
    let rows = table("Invariant");
    assert_eq!(rows.len(), 9, "the design has nine invariants");
    for row in rows {
        let claims: Vec<&str> = row[1].split('`').skip(1).step_by(2).collect();
        assert!(!claims.is_empty(), "nothing keeps {:?}", row[0]);
        for claim in claims {
            let (file, name) = claim.split_once("::").expect("FILE::TEST");
            let text = read(&root().join(file));
            assert!(text.contains(&format!("fn {name}(")), "{file} has no test {name}");
        }
    }
}

#[test]
fn the_interface_names_are_told_as_they_are() {
    let naming = read(&root().join("src/naming.rs"));
    let told = table("Name");
    assert!(!told.is_empty(), "ARCHITECTURE.md has no table of interface names");
    for row in told {
        let line = format!("//! | {} |", row.join(" | "));
        assert!(naming.contains(&line), "src/naming.rs doesn't have {line}");
    }
}
