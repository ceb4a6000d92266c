//! What the machine says of itself.

use std::fs;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::wire::MachineFacts;

/// Reads the machine's facts. What can't be read is left empty: nothing depends on it.
pub fn machine_facts() -> MachineFacts {
    let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    MachineFacts {
        hostname: line("/proc/sys/kernel/hostname"),
        cpus: available_parallelism().map_or(0, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        memory_mib: memory_mib(&line("/proc/meminfo")),
        kernel: line("/proc/sys/kernel/osrelease"),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
    }
}

/// The machine's clock, seconds since 1970.
pub fn clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

fn memory_mib(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernels_table() {
        assert_eq!(memory_mib("MemTotal:        2048000 kB\nMemFree: 1 kB"), 2000);
        assert_eq!(memory_mib("nothing of the kind"), 0);
    }

    #[test]
    fn this_machine_has_a_kernel_and_a_processor() {
        let facts = machine_facts();
        assert!(facts.cpus > 0 && facts.memory_mib > 0);
        assert!(!facts.kernel.is_empty() && !facts.boot_id.is_empty());
    }
}
