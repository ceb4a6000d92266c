//! What would be asked of a provider for a template, as a list of properties.

use super::{Disk, DiskFormat, DiskSource, Target, WorkerTemplate};

/// What is asked, by its name: `memory`, `512 MiB`.
pub fn asked_of(template: &WorkerTemplate, target: Target) -> Vec<(&'static str, String)> {
    let mut asked = vec![
        ("template", template.name.clone().unwrap_or_else(|| "without a name".into())),
        ("promised", format!("{} CPU, {} MiB", template.cpu, template.memory_mib)),
    ];
    match target {
        Target::Libvirt => local(template, &mut asked),
        Target::Ec2 => cloud(template, &mut asked),
    }
    let slots = template.slots.map_or_else(|| "one a processor".into(), |slots| slots.to_string());
    asked.push(("job slots", slots));
    asked
}

fn local(template: &WorkerTemplate, asked: &mut Vec<(&'static str, String)>) {
    let os = template.os.clone().unwrap_or_default();
    asked.push(("processors", format!("{} of {}", template.vcpus(), os.arch.as_deref().unwrap_or("x86_64"))));
    if let Some(kernel) = &os.kernel {
        asked.push(("kernel", kernel.display().to_string()));
        asked.extend(os.initrd.iter().map(|path| ("initrd", path.display().to_string())));
        let root = os.root.iter().map(|device| format!("root=/dev/{device}"));
        let line: Vec<String> = root.chain(os.kernel_cmd.clone()).collect();
        if !line.is_empty() {
            asked.push(("kernel line", line.join(" ")));
        }
    } else {
        asked.push(("starts from", "its first disk".into()));
    }
    asked.extend(template.disks.iter().map(|disk| ("disk", self::disk(disk))));
    asked.push(("disk", "the seed image with its user-data, read only".into()));
    asked.push(("card", "the vLAN's bridge, with the worker's own MAC address".into()));
    let more = template.nics.iter().skip(1).filter_map(|nic| nic.bridge.as_ref());
    asked.extend(more.map(|bridge| ("card", format!("the bridge {bridge}"))));
    asked.push(("console", "serial, to a log".into()));
}

fn disk(disk: &Disk) -> String {
    let source = match &disk.source {
        DiskSource::Image(path) => format!("an overlay on {}", path.display()),
        DiskSource::Swap(mib) => format!("new swap space of {mib} MiB"),
        DiskSource::Empty(mib) => format!("a new file system of {mib} MiB"),
    };
    let format = disk.format.map(|format| match format {
        DiskFormat::Raw => ", raw".to_owned(),
        DiskFormat::Qcow2 => ", qcow2".to_owned(),
    });
    let target = disk.target.as_ref().map(|target| format!(", as {target}"));
    let read_only = disk.read_only.then(|| ", read only".to_owned());
    [Some(source), format, target, read_only].into_iter().flatten().collect()
}

fn cloud(template: &WorkerTemplate, asked: &mut Vec<(&'static str, String)>) {
    let Some(ec2) = &template.ec2 else { return };
    let ports: Vec<String> = ec2.authorized_ports.iter().map(ToString::to_string).collect();
    let open = if ports.is_empty() { "none".to_owned() } else { format!("TCP {}", ports.join(", ")) };
    let market = if ec2.spot { "spot" } else { "on demand, unless the host says spot" };
    asked.extend([
        ("image", ec2.ami.clone()),
        ("instance type", ec2.instance_type.clone().unwrap_or_else(|| "the host's in cluster.toml".into())),
        ("key pair", ec2.key_pair.clone().unwrap_or_else(|| "none".into())),
        ("open ports", open),
        ("market", market.into()),
        ("root disk", "encrypted".into()),
        ("metadata", "IMDSv2 required, hop limit 1".into()),
        ("tags", "the cluster's and the worker's, at creation".into()),
    ]);
}
