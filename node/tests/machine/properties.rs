//! What holds for every pair of specs, on real files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::scratch::Scratch;
use landbridge_node::machine::{Block, ConvergeError, Directory, File, MachineSpec, Resource};
use proptest::prelude::*;

const OWNER: &str = "property";

/// What stands in the world before us.
#[derive(Clone, Debug)]
struct Before {
    files: Vec<Option<(String, u32)>>,
    directory: Option<u32>,
    link: bool,
}

/// A wish, by indices into a fixed set of paths: so specs overlap often.
#[derive(Clone, Debug)]
struct Wish {
    /// Of `directory` and `directory/inner`, outside in.
    directories: Vec<u32>,
    files: Vec<Option<(String, u32, bool)>>,
    blocks: Vec<Option<(String, bool)>>,
}

fn mode() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0o644), Just(0o600), Just(0o755), Just(0o400)]
}

fn before() -> impl Strategy<Value = Before> {
    let file = prop::option::of(("(passwd: [a-z]{0,3}|[a-z]{0,3})(\n[a-z]{0,3}){0,2}\n?", mode()));
    let files = prop::collection::vec(file, 4);
    (files, prop::option::of(prop_oneof![Just(0o700), Just(0o755)]), any::<bool>())
        .prop_map(|(files, directory, link)| Before { files, directory, link })
}

fn wish() -> impl Strategy<Value = Wish> {
    let directories = prop::collection::vec(prop_oneof![Just(0o700), Just(0o750)], 0..3);
    let files = prop::collection::vec(prop::option::of(("[a-z\n]{0,6}", mode(), any::<bool>())), 4);
    let blocks = prop::collection::vec(prop::option::of(("([a-z]{0,3}\n){0,2}", any::<bool>())), 2);
    (directories, files, blocks).prop_map(|(directories, files, blocks)| Wish { directories, files, blocks })
}

impl Before {
    fn make(&self, scratch: &Scratch) {
        // The last two are for blocks.
        for (name, file) in ["file0", "link", "block0", "block1"].iter().zip(&self.files) {
            if let Some((text, mode)) = file {
                fs::write(scratch.path(name), text).unwrap();
                fs::set_permissions(scratch.path(name), fs::Permissions::from_mode(*mode)).unwrap();
            } else if self.link && *name == "link" {
                std::os::unix::fs::symlink("nowhere", scratch.path(name)).unwrap();
            }
        }
        if let Some(mode) = self.directory {
            fs::create_dir(scratch.path("directory")).unwrap();
            fs::set_permissions(scratch.path("directory"), fs::Permissions::from_mode(mode)).unwrap();
            fs::write(scratch.path("directory/theirs"), "theirs").unwrap();
        }
    }
}

impl Wish {
    fn spec(&self, scratch: &Scratch) -> MachineSpec {
        let mut spec = MachineSpec::default();
        for (name, mode) in ["directory", "directory/inner"].iter().zip(&self.directories) {
            spec.push(Directory { path: scratch.path(name), mode: *mode, owner: None });
        }
        let places = ["file0", "link", "directory/file", "directory/inner/file"];
        for (index, (name, file)) in places.iter().zip(&self.files).enumerate() {
            let Some((text, mode, secret)) = file else { continue };
            let path = scratch.path(name);
            // A file of ours has a directory of ours.
            if index < 2 + self.directories.len() {
                let file =
                    if *secret { File::secret(path, text) } else { File { mode: *mode, ..File::open(path, text) } };
                spec.push(file);
            }
        }
        for (name, block) in ["block0", "block1"].iter().zip(&self.blocks) {
            let Some((text, replaces)) = block else { continue };
            let replaces = replaces.then(|| "passwd:".to_owned()).into_iter().collect();
            let first = *name == "block0";
            spec.push(Block { path: scratch.path(name), name: "b".into(), text: text.clone(), first, replaces });
        }
        spec
    }
}

/// That each wanted thing is there, said without the engine's own words.
fn assert_reached(spec: &MachineSpec) {
    for resource in &spec.resources {
        match resource {
            Resource::File(file) => {
                let found = fs::symlink_metadata(&file.path).unwrap();
                assert!(found.is_file());
                assert_eq!(found.permissions().mode() & 0o7777, file.mode);
                assert_eq!(fs::read_to_string(&file.path).unwrap(), file.content.reveal());
            }
            Resource::Directory(directory) => {
                let found = fs::metadata(&directory.path).unwrap();
                assert_eq!(found.permissions().mode() & 0o7777, directory.mode);
            }
            Resource::Block(block) => {
                let tag = format!("# landbridge:{OWNER}:{}", block.name);
                let lines = format!("{tag} begin\n{}{tag} end\n", block.text);
                assert_eq!(fs::read_to_string(&block.path).unwrap().matches(&lines).count(), 1);
            }
            _ => unreachable!("no wish has another kind"),
        }
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_ends_as_its_last_spec_alone_and_tearing_down_gives_everything_back(
        before in before(),
        wishes in prop::collection::vec(wish(), 1..4),
    ) {
        block_on(async {
            let (walk, alone) = (Scratch::of(OWNER), Scratch::of(OWNER));
            before.make(&walk);
            before.make(&alone);
            let initial = walk.tree();
            let mut machine = walk.open().await;
            for wish in &wishes {
                let spec = wish.spec(&walk);
                machine.converge(&spec).await.unwrap();
                assert_reached(&spec);
                assert!(machine.plan(&spec).await.unwrap().is_empty());
            }
            let last = wishes.last().unwrap();
            alone.open().await.converge(&last.spec(&alone)).await.unwrap();
            assert_eq!(walk.tree(), alone.tree());
            // By another process, as it were, that knows nothing but the ledger.
            drop(machine);
            let mut machine = walk.open().await;
            machine.tear_down().await.unwrap();
            assert!(machine.is_bare());
            assert_eq!(walk.tree(), initial);
        });
    }

    #[test]
    fn a_failure_at_any_step_leaves_what_was_there_before(
        before in before(),
        first in wish(),
        second in wish(),
        at in any::<prop::sample::Index>(),
    ) {
        block_on(async {
            let scratch = Scratch::of(OWNER);
            before.make(&scratch);
            let initial = scratch.tree();
            let mut machine = scratch.open().await;
            machine.converge(&first.spec(&scratch)).await.unwrap();
            let reached = scratch.tree();
            let mut broken = second.spec(&scratch);
            let at = at.index(broken.resources.len() + 1);
            broken.resources.insert(at, File::open("/no/such/directory/file", "").into());
            let error = machine.converge(&broken).await.unwrap_err();
            let ConvergeError::Step { undo, .. } = error else { panic!("{error}") };
            assert!(undo.is_empty(), "{undo:?}");
            assert_eq!(scratch.tree(), reached);
            assert!(machine.plan(&first.spec(&scratch)).await.unwrap().is_empty());
            machine.tear_down().await.unwrap();
            assert_eq!(scratch.tree(), initial);
        });
    }
}
