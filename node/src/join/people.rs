//! The domain's people, in a table of the worker's own in front of NIS. The C library remembers nobody: Grid Engine looks a job's
//! user up some ten times before the job runs, and lists all groups twice, which NIS answers after two and five round trips.

use std::path::Path;

use crate::machine::{Block, Directory, File, MachineSpec};
use crate::wire::NisBundle;

/// Where libnss-extrausers looks.
const TABLES: &str = "/var/lib/extrausers";

/// nsswitch.conf(5). Whoever is not in the table is nobody, and the server isn't asked; without libnss-extrausers, it is. Only
/// with a line of its own for the groups of a user does the search for them end with the first that knows any.
const WITH_TABLE: &str = "\
passwd: files extrausers [NOTFOUND=return] nis
group: files extrausers [NOTFOUND=return] nis
initgroups: files [SUCCESS=continue] extrausers [NOTFOUND=return] nis
hosts: files nis dns
";
const WITHOUT_TABLE: &str = "passwd: files nis\ngroup: files nis\nhosts: files nis dns\n";

/// The name service switch, and the table.
pub(super) fn resources(nis: &NisBundle) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if let Some(people) = &nis.people {
        spec.push(Directory { path: TABLES.into(), mode: 0o755, owner: None });
        spec.push(File::open(Path::new(TABLES).join("group"), people.group.as_str()));
        spec.push(File::open(Path::new(TABLES).join("passwd"), people.passwd.as_str()));
    }
    spec.push(Block {
        path: "/etc/nsswitch.conf".into(),
        name: "nis".into(),
        text: if nis.people.is_some() { WITH_TABLE } else { WITHOUT_TABLE }.into(),
        first: false,
        replaces: ["passwd:", "group:", "initgroups:", "hosts:"].map(String::from).into(),
    });
    // nss(5). Whoever lists all groups where there is no table gets the map in one piece, not in as many round trips as it has groups.
    spec.push(Block {
        path: "/etc/default/nss".into(),
        name: "nis".into(),
        text: "SETENT_BATCH_READ = TRUE\n".into(),
        first: false,
        replaces: vec!["SETENT_BATCH_READ".into()],
    });
    spec
}
