//! What a machine shows to somebody who has never heard of Landbridge, so that two moments can be compared.

use std::collections::BTreeSet;

use crate::{LabResult, Machine};

/// Files by name, kind, mode, owner, size, and content where it is configuration; links, addresses, routes, flood entries,
/// firewall, mounts, the kernel's names, and processes but the kernel's own. Logs may stay, so they are left out.
const LOOK: &str = r#"
find / /run /home /srv -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /usr -o -path /var/log \) -prune -o \
    \( -type d -printf 'directory %p %m %u:%g\n' -o -printf '%y %p %m %u:%g %s %l\n' \)
find /etc /var/yp /var/spool /run /root -xdev -type f -exec md5sum {} +
ip -br link; ip -br address; ip route; bridge fdb; nft list ruleset; findmnt -rno TARGET,FSTYPE
cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname
own=$(ps -o pgid= -p $$)
ps -eo pgid=,args= | awk -v own="$own" '$1 != own && $2 !~ /^\[/ { $1 = "process"; print }'
"#;

/// What was seen on a machine at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace(BTreeSet<String>);

impl Trace {
    /// Looks at a machine.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn of(machine: &Machine) -> LabResult<Self> {
        Ok(Self(machine.run(LOOK).expect_ok()?.lines().map(str::to_owned).collect()))
    }

    /// A line for each difference: `-` for what was there before and is gone, `+` for what is new.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let gone = before.0.difference(&self.0).map(|line| format!("- {line}"));
        gone.chain(self.0.difference(&before.0).map(|line| format!("+ {line}"))).collect()
    }
}
