//! The cell: the files that tell every program of Grid Engine where its queue master is.

use std::path::{Path, PathBuf};

use landbridge_node::wire::SgeBundle;
use landbridge_pki::NodeName;

use super::{EXECD_PORT, QMASTER_PORT, ROOT};
use crate::spec::ClusterName;

/// `SGE_CELL`: never Debian's `default`.
pub(super) fn name(cluster: &ClusterName) -> String {
    format!("landbridge-{cluster}")
}

/// The cell's own folder.
pub(super) fn folder(cluster: &ClusterName) -> PathBuf {
    Path::new(ROOT).join(name(cluster))
}

/// The queue master's spool.
pub(super) fn spool(cluster: &ClusterName) -> PathBuf {
    Path::new("/var/spool/gridengine").join(name(cluster))
}

/// What an execution host needs.
pub(super) fn bundle(cluster: &ClusterName, front_end: &NodeName) -> SgeBundle {
    SgeBundle {
        root: ROOT.into(),
        cell: name(cluster),
        qmaster_port: QMASTER_PORT,
        execd_port: EXECD_PORT,
        common: vec![("bootstrap".into(), bootstrap(cluster)), ("act_qmaster".into(), act_qmaster(front_end))],
    }
}

/// `bootstrap(5)`. Host names are compared without their domain: the vLAN's have none.
pub(super) fn bootstrap(cluster: &ClusterName) -> String {
    let spool = spool(cluster);
    let spool = spool.display();
    format!(
        "admin_user             sgeadmin\n\
         default_domain         none\n\
         ignore_fqdn            true\n\
         spooling_method        berkeleydb\n\
         spooling_lib           libspoolb\n\
         spooling_params        {spool}/spooldb\n\
         binary_path            /usr/sbin\n\
         qmaster_spool_dir      {spool}/qmaster\n\
         security_mode          none\n\
         listener_threads       2\n\
         worker_threads         2\n\
         scheduler_threads      1\n"
    )
}

/// `act_qmaster(5)`: the queue master's host. The queue master writes it again when it starts, so it must be its own.
pub(super) fn act_qmaster(front_end: &NodeName) -> String {
    format!("{front_end}\n")
}

/// Makes the cell, or brings a newer bootstrap file to it: `make-cell CELL SPOOL`, beside `bootstrap` and `act_qmaster`.
///
/// `init_cluster` is Debian's; it leaves a spool that it finds as it is. The list of who may run canaries is in a new spool before
/// the queue master starts: its scheduler (8.1.9) dies at once, and the queue master with it, when it hears of a queue and that
/// queue's list together (`got NULL element for US_consider_with_categories`).
pub(super) const MAKE: &str = r#"#!/bin/sh
# Makes the Grid Engine cell. Written by landbridge; changes here are lost.
set -eu
root=/var/lib/gridengine cell=$1 spool=$2
here=$(dirname "$0")
own() { install -d -o sgeadmin -g sgeadmin -m 755 "$@"; }
own "$root/$cell" "$root/$cell/common" "$spool" "$spool/qmaster" "$spool/qmaster/job_scripts" "$spool/spooldb" "$spool/usersets"
install -o sgeadmin -g sgeadmin -m 644 "$here/bootstrap" "$here/act_qmaster" "$root/$cell/common"
install -o sgeadmin -g sgeadmin -m 644 "$here"/usersets/* "$spool/usersets"
cd /
admin() { SGE_ROOT=$root SGE_CELL=$cell setpriv --reuid sgeadmin --regid sgeadmin --clear-groups "$@"; }
[ -e "$spool/spooldb/sge" ] && new=no || new=yes
admin /usr/share/gridengine/scripts/init_cluster "$root" "$cell" "$spool/spooldb" sgeadmin
[ $new = no ] || admin /usr/lib/gridengine/spooldefaults usersets "$spool/usersets"
"#;
