//! The machine on which it was measured: what a reader needs to know to compare with his own.

use std::fs;
use std::process::Command;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the machine is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineDescription {
    /// When it was looked at, in UTC.
    pub date: String,
    /// The processors' name.
    pub processor: String,
    /// How many there are.
    pub processors: usize,
    /// All of its memory.
    pub memory_gib: f64,
    /// The kernel's release.
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// Programs whose speed is measured, and their versions.
    pub versions: Vec<(String, String)>,
    /// Processes that wanted to run besides, as the kernel's load of the last minute: 0 on a quiet machine.
    pub load: f64,
}

/// Debian's packages whose programs are measured.
const PACKAGES: &[&str] =
    &["openvpn", "tinc", "nebula", "wireguard-go", "easy-rsa", "iproute2", "iperf3", "user-mode-linux"];

impl MachineDescription {
    /// Looks at this machine.
    pub fn look() -> Self {
        let cpus = read("/proc/cpuinfo");
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            Some(line[key.len()..].trim_start_matches([' ', '\t', ':', '=']).trim_matches('"').to_owned())
        };
        let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kib: f64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default();
        let load = read("/proc/loadavg").split_whitespace().next().and_then(|load| load.parse().ok());
        Self {
            date: Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            processor: value(&cpus, "model name").unwrap_or_default(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib / 1_048_576.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: value(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_default(),
            versions: versions(),
            load: load.unwrap_or_default(),
        }
    }
}

/// Of the packages in this machine, and of those in the lab's Debian, which is of the same release.
fn versions() -> Vec<(String, String)> {
    let own = ("landbridge".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let packaged = PACKAGES.iter().filter_map(|package| Some(((*package).to_owned(), version(package)?)));
    std::iter::once(own).chain(packaged).collect()
}

fn version(package: &str) -> Option<String> {
    let ask = |arguments: &[&str]| {
        let output = Command::new("dpkg-query").args(arguments).arg(package).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    let format = "--showformat=${Version}";
    let image = crate::image::debian_tree().ok()?.join("var/lib/dpkg");
    ask(&["--show", &format!("--admindir={}", image.display()), format]).or_else(|| ask(&["--show", format]))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
