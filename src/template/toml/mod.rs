//! Our own syntax for templates: TOML, kebab-case, unknown keys are errors.

mod other;
mod write;

use toml::de::DeTable;

use super::{Cpu, Disk, DiskSource, Ec2, Findings, Nic, Os, Parsed, Places, Words, WorkerTemplate, values};
use crate::reading::{Code, Need, Placed, Section, Sink, Told, optional, parse_mib};

pub use write::write;

/// The tables of a template.
pub(super) const SECTIONS: [&str; 5] = ["os", "disk", "nic", "ec2", "other"];

/// Processors that a machine has unless its template says otherwise.
const DEFAULT_CPU: Cpu = Cpu(100);

const ANY_TABLE: Need = Need::Optional("{ … }");

/// Reads a template. What is wrong goes to the sink; without a template, at least one error went there.
pub(super) fn read(text: &str, sink: &Sink<'_>) -> Option<Parsed> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let hint = "texts need quotes, lists `[…]`, tables `[name]` or `{ key = value }`; see https://toml.io";
        let message = error.message().trim().replace('\n', "; ");
        sink.error(Code::Syntax, &error.span().unwrap_or(0..0), message, hint);
    }
    // What a parser makes of a broken file is a guess: findings about the guess would mislead.
    if errors.is_empty() { Reader { sink, places: Places::new() }.template(Section::whole(&table, sink)) } else { None }
}

struct Reader<'a> {
    sink: &'a Sink<'a>,
    places: Places,
}

impl Reader<'_> {
    fn template(mut self, mut file: Section<'_>) -> Option<Parsed> {
        let sink = self.sink;
        let name = file.text("name", Need::Optional("\"worker\""));
        let cpu = file.decimal("cpu", Need::Optional("0.5"));
        let vcpu = file.integer("vcpu", Need::Optional("2"));
        let memory = file.text("memory", Need::Required("\"512 MiB\""));
        let slots = file.integer("slots", Need::Optional("2"));
        self.places.extend(vcpu.iter().map(|vcpu| ("VCPU".to_owned(), vcpu.span.clone())));
        let cpu = cpu.map_or(Some(DEFAULT_CPU), |text| values::cpu(&text, sink));
        let vcpu = optional(vcpu.as_ref(), |number| values::count(number, sink));
        let slots = optional(slots.as_ref(), |number| values::count(number, sink));
        let memory_mib = memory.and_then(|text| amount(&text, sink));
        let os = file.table("os", ANY_TABLE).map(|section| self.os(section));
        let disks: Vec<_> = (0..).zip(file.tables("disk")).map(|(n, section)| self.disk(n, section)).collect();
        let nics = (0..).zip(file.tables("nic")).map(|(n, section)| self.nic(n, section)).collect();
        let ec2 = match file.table("ec2", Need::Optional("{ ami = \"ami-…\" }")) {
            Some(section) => self.ec2(section).map(Some).ok_or(Told),
            None => Ok(None),
        };
        let other = file.table("other", ANY_TABLE);
        let other = other.map(|section| other::attributes(section, &mut self.places, sink)).unwrap_or_default();
        file.finish();
        if matches!(ec2, Ok(None)) {
            other::no_ec2(&other, &self.places, sink).ok()?;
        }
        let template = WorkerTemplate {
            name: said(name),
            cpu: cpu?,
            vcpu: vcpu.ok()?,
            memory_mib: memory_mib?,
            os,
            disks: disks.into_iter().collect::<Option<_>>()?,
            nics,
            ec2: ec2.ok()?,
            slots: slots.ok()?,
            other,
        };
        values::different_targets(&template.disks, &self.places, sink);
        Some(Parsed { template, warnings: Findings::default(), places: self.places })
    }

    fn os(&mut self, mut section: Section<'_>) -> Os {
        self.places.insert("OS".into(), section.span.clone());
        let os = Os {
            kernel: said(section.text("kernel", Need::Optional("\"/vmlinuz\""))).map(Into::into),
            initrd: said(section.text("initrd", Need::Optional("\"/initrd.img\""))).map(Into::into),
            root: said(section.text("root", Need::Optional("\"sda1\""))),
            kernel_cmd: said(section.text("kernel-cmd", Need::Optional("\"quiet\""))),
            arch: said(section.text("arch", Need::Optional("\"x86_64\""))),
            other: self.words(&mut section, "OS", "OS"),
        };
        section.finish();
        os
    }

    fn disk(&mut self, n: usize, mut section: Section<'_>) -> Option<Disk> {
        let about = format!("DISK[{n}]");
        self.places.insert(about.clone(), section.span.clone());
        let source = self.source(&mut section);
        let target = section.text("target", Need::Optional("\"sda\"")).filter(|text| !text.value.is_empty());
        let target = optional(target.as_ref(), |text| values::target(text, self.sink));
        let read_only = section.boolean("read-only", Need::Optional("true")).is_some_and(|flag| flag.value);
        let format = section.text("format", Need::Optional("\"qcow2\""));
        let format = optional(format.as_ref(), |text| {
            let format = values::format(&text.value);
            if format.is_none() {
                let message = format!("{:?} is no format of disk images", text.value);
                self.sink.error(Code::FormatUnknown, &text.span, message, "write \"raw\" or \"qcow2\"");
            }
            format
        });
        let other = self.words(&mut section, &about, "DISK");
        section.finish();
        let disk = Disk { source: source?, target: target.ok()?, read_only, format: format.ok()?, other };
        other::no_second_word(&disk, &about, &self.places, self.sink).ok()?;
        Some(disk)
    }

    fn source(&self, section: &mut Section<'_>) -> Option<DiskSource> {
        let span = section.span.clone();
        let image = section.text("image", Need::Optional("\"/images/worker.qcow2\""));
        let swap = section.text("swap", Need::Optional("\"1 GiB\""));
        let empty = section.text("empty", Need::Optional("\"10 GiB\""));
        let hint = "say one of `image`, `swap` and `empty`";
        if [&image, &swap, &empty].into_iter().flatten().count() > 1 {
            self.sink.error(Code::DiskSourceSeveral, &span, "the disk has several sources", hint);
            return None;
        }
        match (image.filter(|text| !text.value.is_empty()), swap, empty) {
            (Some(image), ..) => Some(DiskSource::Image(image.value.into())),
            (_, Some(swap), _) => amount(&swap, self.sink).map(DiskSource::Swap),
            (.., Some(empty)) => amount(&empty, self.sink).map(DiskSource::Empty),
            _ => {
                self.sink.error(Code::DiskSourceNone, &span, "nothing is on the disk", hint);
                None
            }
        }
    }

    fn nic(&mut self, n: usize, mut section: Section<'_>) -> Nic {
        let about = format!("NIC[{n}]");
        self.places.insert(about.clone(), section.span.clone());
        let nic = Nic {
            bridge: said(section.text("bridge", Need::Optional("\"br0\""))),
            model: said(section.text("model", Need::Optional("\"virtio\""))),
            other: self.words(&mut section, &about, "NIC"),
        };
        section.finish();
        nic
    }

    fn ec2(&mut self, mut section: Section<'_>) -> Option<Ec2> {
        self.places.insert("EC2".into(), section.span.clone());
        let ami = section.text("ami", Need::Required("\"ami-0123456789abcdef0\""));
        let key_pair = said(section.text("key-pair", Need::Optional("\"ada\"")));
        let instance_type = section.text("instance-type", Need::Optional("\"m1.small\""));
        let instance_type = optional(instance_type.as_ref(), |text| values::instance_type(text, self.sink));
        let ports = section.texts("authorized-ports", Need::Optional("[\"22\"]"));
        let ports: Vec<_> =
            ports.into_iter().flat_map(|list| list.value).map(|text| values::ports(&text, self.sink)).collect();
        let spot = section.boolean("spot", Need::Optional("true")).is_some_and(|spot| spot.value);
        let other = self.words(&mut section, "EC2", "EC2");
        section.finish();
        let ports = ports.into_iter().collect::<Option<Vec<_>>>();
        Some(Ec2 {
            ami: ami?.value,
            key_pair,
            instance_type: instance_type.ok()?,
            authorized_ports: ports?.concat(),
            spot,
            other,
        })
    }

    fn words(&mut self, section: &mut Section<'_>, about: &str, vector: &str) -> Words {
        let other = section.table("other", ANY_TABLE);
        other.map(|table| other::words(table, about, vector, &mut self.places, self.sink)).unwrap_or_default()
    }
}

/// A text that says something.
fn said(text: Option<Placed<String>>) -> Option<String> {
    text.map(|text| text.value).filter(|text| !text.is_empty())
}

/// `512 MiB`, `8 GiB`.
fn amount(text: &Placed<String>, sink: &Sink<'_>) -> Option<u64> {
    let Some(mib) = parse_mib(&text.value) else {
        let message = format!("{:?} is no amount of memory or disk", text.value);
        let hint = "write a number and a unit, for example \"8 GiB\" or \"512 MiB\"";
        sink.error(Code::MemoryIllFormed, &text.span, message, hint);
        return None;
    };
    values::mib(mib, text, sink)
}
