//! What the queue master is told after its first start.

use super::{CANARY_QUEUE, HOST_GROUP, QUEUE};

/// Whom canaries run as: no privileges, known on every machine, and not below the queue's least uid.
pub(super) const CANARY_USER: &str = "nobody";

/// The list of who may use the canary queue.
const CANARY_LIST: &str = "canary";

/// `configure FRONT-END`, beside the files. What workers have brought (hosts, slots, states) stays as it is.
pub(super) const CONFIGURE: &str = r#"#!/bin/sh
# Configures the running queue master. Written by landbridge; changes here are lost.
set -eu
PATH=/usr/lib/gridengine:$PATH
cd "$(dirname "$0")"
has() { qconf "$@" >/dev/null 2>&1; }
queue() {
    if has -sq "$1"; then
        qconf -Mattr queue "$1.attributes" "$1"
    else
        qconf -Aq "$1"
    fi
}
# The scheduler has joined the queue master when it is listed. Told of a queue before it has the lists that the queue names, it takes
# the queue master with it (8.1.9: "got NULL element for US_consider_with_categories"). There is no event to wait for.
tries=0
until qconf -secl 2>/dev/null | grep -qw scheduler || [ $tries -ge 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
qconf -Mconf global
qconf -Msconf scheduler
qconf -as "$1"
has -shgrp @landbridge || qconf -Ahgrp host-group
has -su canary || qconf -Au usersets/canary
queue all.q
queue canary.q
"#;

/// The list of who may use the canary queue, and its file's name: `access_list(5)`.
pub(super) fn canary_users() -> (&'static str, String) {
    ("usersets/canary", format!("name {CANARY_LIST}\ntype ACL\nfshare 0\noticket 0\nentries {CANARY_USER}\n"))
}

/// The files, by name.
pub(super) fn files() -> [(&'static str, String); 7] {
    let (all, canary) = (attributes("BATCH INTERACTIVE", "NONE"), attributes("BATCH", CANARY_LIST));
    [
        ("global", GLOBAL.into()),
        ("scheduler", SCHEDULER.into()),
        ("host-group", format!("group_name {HOST_GROUP}\nhostlist NONE\n")),
        (QUEUE, queue(QUEUE, 0, &all)),
        (CANARY_QUEUE, queue(CANARY_QUEUE, 1, &canary)),
        ("all.q.attributes", all),
        ("canary.q.attributes", canary),
    ]
}

/// `sge_conf(5)`, what differs from Debian's default or matters here:
/// scripts run with the shell of their first line; a job's stray children end with it (`ENABLE_ADDGRP_KILL`); a worker that
/// was silent for a minute is not given jobs; `qacct` knows of a job a second after its end; and a job is not started through
/// Debian's wrapper of the shepherd, which starts a C preprocessor first, for a job each (seconds on a slow machine).
const GLOBAL: &str = "\
execd_spool_dir              /var/spool/gridengine/execd
mailer                       /usr/bin/mail
xterm                        /usr/bin/xterm
load_sensor                  none
prolog                       none
epilog                       none
shell_start_mode             unix_behavior
login_shells                 bash,sh,ksh,csh,tcsh
min_uid                      1000
min_gid                      100
user_lists                   none
xuser_lists                  none
projects                     none
xprojects                    none
enforce_project              false
enforce_user                 auto
load_report_time             00:00:15
max_unheard                  00:01:00
reschedule_unknown           00:00:00
loglevel                     log_warning
administrator_mail           none
set_token_cmd                none
pag_cmd                      none
token_extend_time            none
shepherd_cmd                 /usr/lib/gridengine/sge_shepherd
qmaster_params               none
execd_params                 ENABLE_ADDGRP_KILL=1
reporting_params             accounting=true reporting=false flush_time=00:00:15 accounting_flush_time=00:00:01 joblog=false sharelog=00:00:00
finished_jobs                100
gid_range                    65400-65500
qlogin_command               builtin
qlogin_daemon                builtin
rlogin_command               builtin
rlogin_daemon                builtin
rsh_command                  builtin
rsh_daemon                   builtin
max_aj_instances             2000
max_aj_tasks                 75000
max_u_jobs                   0
max_jobs                     0
auto_user_oticket            0
auto_user_fshare             0
auto_user_default_project    none
auto_user_delete_time        86400
delegated_file_staging       false
reprioritize                 0
jsv_url                      none
jsv_allowed_mod              ac,h,i,e,o,j,M,N,p,w
";

/// `sched_conf(5)`. A job is placed when it comes and when another one ends (`flush_…_sec`: 1 is at once), not at the next
/// turn of the clock; and a worker's slots alone say how many jobs it takes, not its load.
const SCHEDULER: &str = "\
algorithm                         default
schedule_interval                 0:0:2
maxujobs                          0
queue_sort_method                 load
job_load_adjustments              NONE
load_adjustment_decay_time        0:0:0
load_formula                      np_load_avg
schedd_job_info                   true
flush_submit_sec                  1
flush_finish_sec                  1
params                            none
reprioritize_interval             0:0:0
halftime                          168
usage_weight_list                 cpu=1.000000,mem=0.000000,io=0.000000
compensation_factor               5.000000
weight_user                       0.250000
weight_project                    0.250000
weight_department                 0.250000
weight_job                        0.250000
weight_tickets_functional         0
weight_tickets_share              0
share_override_tickets            TRUE
share_functional_shares           TRUE
max_functional_jobs_to_schedule   200
report_pjob_tickets               TRUE
max_pending_tasks_per_job         50
halflife_decay_list               none
policy_hierarchy                  OFS
weight_ticket                     0.500000
weight_waiting_time               0.278000
weight_deadline                   3600000.000000
weight_urgency                    0.500000
weight_priority                   0.000000
max_reservation                   0
default_duration                  INFINITY
";

/// A new queue, `queue_conf(5)`. Workers bring their own slots.
fn queue(name: &str, slots: u32, attributes: &str) -> String {
    format!(
        "qname                 {name}
hostlist              {HOST_GROUP}
slots                 {slots}
{attributes}"
    )
}

/// What a queue that is there already is told again: all but what belongs to workers.
fn attributes(kind: &str, users: &str) -> String {
    format!(
        "seq_no                0
load_thresholds       NONE
suspend_thresholds    NONE
nsuspend              1
suspend_interval      00:05:00
priority              0
min_cpu_interval      00:05:00
processors            UNDEFINED
qtype                 {kind}
ckpt_list             NONE
pe_list               NONE
rerun                 FALSE
tmpdir                /tmp
shell                 /bin/sh
prolog                NONE
epilog                NONE
shell_start_mode      unix_behavior
starter_method        NONE
suspend_method        NONE
resume_method         NONE
terminate_method      NONE
notify                00:00:60
owner_list            NONE
user_lists            {users}
xuser_lists           NONE
subordinate_list      NONE
complex_values        NONE
projects              NONE
xprojects             NONE
calendar              NONE
initial_state         default
s_rt                  INFINITY
h_rt                  INFINITY
s_cpu                 INFINITY
h_cpu                 INFINITY
s_fsize               INFINITY
h_fsize               INFINITY
s_data                INFINITY
h_data                INFINITY
s_stack               INFINITY
h_stack               INFINITY
s_core                INFINITY
h_core                INFINITY
s_rss                 INFINITY
h_rss                 INFINITY
s_vmem                INFINITY
h_vmem                INFINITY
"
    )
}
