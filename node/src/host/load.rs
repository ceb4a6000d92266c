//! How busy this host is: what its processors did since they were looked at last, and the memory that could be had now.

use std::fs;

use crate::wire::HostLoad;

/// Looks at the kernel's counters.
#[derive(Debug, Default)]
pub(super) struct Meter {
    before: Option<Ticks>,
}

/// What the processors have done since the machine started, all together, in the kernel's ticks (proc_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    idle: u64,
    all: u64,
    /// Processors that are on.
    cpus: u64,
}

impl Meter {
    /// The load since the last look; `None` at the first one, and where the kernel's tables can't be read.
    pub(super) fn look(&mut self) -> Option<HostLoad> {
        let read = |path: &str| fs::read_to_string(path).ok();
        let now = Ticks::of(&read("/proc/stat")?)?;
        let before = self.before.replace(now)?;
        Some(HostLoad { idle_cpu: now.idle_since(before)?, available_memory_kib: available(&read("/proc/meminfo")?)? })
    }
}

impl Ticks {
    fn of(stat: &str) -> Option<Self> {
        let ticks: Vec<u64> =
            stat.strip_prefix("cpu ")?.lines().next()?.split_whitespace().map_while(|n| n.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; what guests got is in `user` already.
        let [idle, iowait] = ticks.get(3..5)?.try_into().ok()?;
        let is_one =
            |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let cpus = stat.lines().filter(is_one).count();
        Some(Self { idle: idle + iowait, all: ticks.iter().take(8).sum(), cpus: cpus.try_into().ok()? })
    }

    /// In hundredths of a processor.
    fn idle_since(self, before: Self) -> Option<u32> {
        let passed = self.all.checked_sub(before.all).filter(|passed| *passed > 0)?;
        // The kernel's count of idle ticks may go back a little (proc_stat(5)).
        let idle = self.idle.saturating_sub(before.idle).min(passed);
        u32::try_from(idle * self.cpus * 100 / passed).ok()
    }
}

/// What programs could still have without swapping, in KiB (proc_meminfo(5)).
fn available(meminfo: &str) -> Option<u64> {
    let rest = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    rest.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 50 0 50 350 50 0 0 0 25 0\ncpu1 50 0 50 350 50 0 0 0 25 0\nintr 12\n";
    const AFTER: &str =
        "cpu  150 0 100 850 100 0 0 0 80 0\ncpu0 100 0 50 425 50 0 0 0 55 0\ncpu1 50 0 50 425 50 0 0 0 25 0\nintr 13\n";

    #[test]
    fn idle_time_counts_in_hundredths_of_a_processor() {
        let (before, after) = (Ticks::of(BEFORE).expect("ticks"), Ticks::of(AFTER).expect("ticks"));
        assert_eq!(before, Ticks { idle: 800, all: 1000, cpus: 2 });
        assert_eq!(after.idle_since(before), Some(150), "of 200 ticks of two processors 150 were idle");
        assert_eq!(after.idle_since(after), None, "no time has passed");
    }

    #[test]
    fn a_count_that_goes_back_is_no_idle_time() {
        let (before, after) = (Ticks { idle: 9, all: 10, cpus: 1 }, Ticks { idle: 8, all: 20, cpus: 1 });
        assert_eq!(after.idle_since(before), Some(0));
        assert_eq!(before.idle_since(after), None);
    }

    #[test]
    fn other_tables_tell_nothing() {
        assert_eq!(Ticks::of("intr 1 2 3"), None);
        assert_eq!(Ticks::of("cpu  1 2"), None);
        assert_eq!(available("MemTotal: 12 kB\nMemAvailable:   34 kB\n"), Some(34));
        assert_eq!(available("MemTotal: 12 kB"), None);
    }

    #[test]
    fn this_machine_tells_its_load_at_the_second_look() {
        let mut meter = Meter::default();
        assert_eq!(meter.look(), None);
        let before = meter.before;
        while Ticks::of(&fs::read_to_string("/proc/stat").expect("the kernel's counters")) == before {
            std::thread::yield_now();
        }
        assert!(meter.look().expect("a load").available_memory_kib > 0);
    }
}
