//! What the front-end needs for the queue master to run.

use std::path::Path;
use std::time::Duration;

use landbridge_node::machine::{Block, Children, Directory, File, Input, MachineSpec, Process, Readiness, Run};

use super::{PROGRAMS, QMASTER_PORT, Sge, cell, configuration};

/// The queue master needs some seven seconds to end, of waits of its own. Killed, it guesses the number of its next job.
const GRACE: Duration = Duration::from_secs(15);

/// The cell, the queue master, and then, told to the running queue master, its configuration.
pub(super) fn resources(sge: &Sge) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(Directory { path: sge.folder.clone(), mode: 0o755, owner: None });
    make_cell(sge, &mut spec);
    spec.push(queue_master(sge));
    configure(sge, &mut spec);
    spec.push(for_people(sge));
    spec
}

fn make_cell(sge: &Sge, spec: &mut MachineSpec) {
    spec.push(Directory { path: sge.folder.join("usersets"), mode: 0o755, owner: None });
    let files = [
        ("bootstrap", cell::bootstrap(&sge.cluster)),
        ("act_qmaster", cell::act_qmaster(&sge.front_end.name)),
        configuration::canary_users(),
    ];
    let mut inputs = write(sge, spec, files);
    let script = sge.folder.join("make-cell");
    spec.push(File { mode: 0o755, ..File::open(&script, cell::MAKE) });
    let (folder, spool) = (cell::folder(&sge.cluster), cell::spool(&sge.cluster));
    inputs.push(Input::Path(script.clone()));
    spec.push(Run {
        name: "sge-cell".into(),
        argv: vec![text(&script), cell::name(&sge.cluster), text(&spool)],
        env: vec![],
        directory: "/".into(),
        inputs,
        outputs: vec![folder, spool],
        undo: vec![],
        holds: vec![],
        deadline: Duration::from_mins(1),
    });
}

fn queue_master(sge: &Sge) -> Process {
    let mut env = sge.commands.environment();
    // "No daemon": it stays in the foreground, and then prints two lines for every turn of the scheduler, which nobody
    // needs. What matters goes to its standard error and to `messages` in its spool.
    env.push(("SGE_ND".into(), "1".into()));
    Process {
        name: "sge-qmaster".into(),
        argv: vec!["/bin/sh".into(), "-c".into(), format!("exec {PROGRAMS}/sge_qmaster >/dev/null")],
        env,
        restart_on: vec![sge.folder.join("bootstrap"), sge.folder.join("act_qmaster")],
        reload_on: vec![],
        ready: Readiness::Tcp((sge.front_end.address, QMASTER_PORT).into()),
        deadline: Duration::from_secs(30),
        grace: GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

fn configure(sge: &Sge, spec: &mut MachineSpec) {
    let mut inputs = write(sge, spec, configuration::files());
    let script = sge.folder.join("configure");
    spec.push(File { mode: 0o755, ..File::open(&script, configuration::CONFIGURE) });
    inputs.push(Input::Path(script.clone()));
    spec.push(Run {
        name: "sge-configuration".into(),
        argv: vec![text(&script), sge.front_end.name.to_string()],
        env: sge.commands.environment(),
        directory: "/".into(),
        inputs,
        outputs: vec![],
        undo: vec![],
        holds: vec![],
        deadline: Duration::from_secs(30),
    });
}

/// So that people who type `qsub` reach this cell: Debian's wrapper reads the file as shell, and the last word wins.
fn for_people(sge: &Sge) -> Block {
    Block {
        path: "/etc/default/gridengine".into(),
        name: "cell".into(),
        text: format!("SGE_CELL={}\n", cell::name(&sge.cluster)),
        first: false,
        replaces: vec![],
    }
}

fn write<const N: usize>(sge: &Sge, spec: &mut MachineSpec, files: [(&str, String); N]) -> Vec<Input> {
    let written = files.map(|(name, content)| {
        let path = sge.folder.join(name);
        spec.push(File::open(&path, content));
        Input::Path(path)
    });
    written.into()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
