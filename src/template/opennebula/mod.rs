//! OpenNebula's own syntax: read into a template, with findings, and written.

mod disk;
mod known;
mod lexis;
mod syntax;
mod vector;
mod write;

use std::collections::BTreeMap;

use syntax::{Item, Pair, Written};
use vector::Vector;

use super::{Attribute, Cpu, Ec2, Nic, Os, Parsed, Places, WorkerTemplate, values};
use crate::reading::{Code, Placed, Sink, Told, closest, optional};

pub use write::{Inexpressible, write};

/// Keys with a meaning of their own, which can't stand among those that nobody reads. A disk's type, size and format can,
/// where they say more than a template's value does; so can a second EC2 part.
pub(super) fn is_read(vector: Option<&str>, key: &str) -> bool {
    let Some(vector) = vector else { return known::READ.contains(&key) && !matches!(key, "EC2" | "PUBLIC_CLOUD") };
    let more = vector == "DISK" && matches!(key, "TYPE" | "SIZE" | "DRIVER" | "FORMAT");
    let read = [known::OS, known::DISK, known::NIC, known::EC2];
    !more && read.iter().any(|keys| keys.vector == vector && keys.read.contains(&key))
}

/// Processors that a machine has unless its template says otherwise (OpenNebula's own default).
const DEFAULT_CPU: Cpu = Cpu(100);

/// Reads a template. What is wrong goes to the sink; without a template, at least one error went there.
pub(super) fn read(text: &str, sink: &Sink<'_>) -> Option<Parsed> {
    let items = syntax::items(text, sink)?;
    let mut reader = Reader { items: items.iter().collect(), places: Places::new(), sink };
    let name = reader.text("NAME").map(|text| text.value).filter(|name| !name.is_empty());
    let cpu = reader.text("CPU").map_or(Some(DEFAULT_CPU), |text| values::cpu(&text, sink));
    let vcpu = optional(reader.text("VCPU").as_ref(), |text| values::count_text(text, sink));
    let slots = optional(reader.text("SLOTS").as_ref(), |text| values::count_text(text, sink));
    let memory = reader.text("MEMORY");
    if memory.is_none() && !items.iter().any(|item| item.name.value == "MEMORY") {
        sink.error(Code::MissingKey, &(0..0), "the template has no `MEMORY`", "add MEMORY = 512, in MiB");
    }
    let memory_mib = memory.and_then(|text| values::mib_text(&text, sink));
    let os = reader.os();
    let disks = reader.disks();
    let nics = reader.nics();
    let ec2 = reader.ec2();
    let (other, places) = reader.finish();
    let template = WorkerTemplate {
        name,
        cpu: cpu?,
        vcpu: vcpu.ok()?,
        memory_mib: memory_mib?,
        os,
        disks: disks?,
        nics,
        ec2: ec2.ok()?,
        slots: slots.ok()?,
        other,
    };
    values::different_targets(&template.disks, &places, sink);
    Some(Parsed { template, warnings: super::Findings::default(), places })
}

/// The attributes that nobody has asked for yet.
struct Reader<'a> {
    items: Vec<&'a Item>,
    places: Places,
    sink: &'a Sink<'a>,
}

impl<'a> Reader<'a> {
    /// Takes out the attributes of a name, in order.
    fn take(&mut self, name: &str) -> Vec<&'a Item> {
        let (taken, left) = self.items.iter().partition(|item| item.name.value == name);
        self.items = left;
        taken
    }

    /// The first of a name that may be there once; the others are told, and dropped.
    fn once(&mut self, name: &str) -> Option<&'a Item> {
        let mut taken = self.take(name).into_iter();
        let first = taken.next()?;
        self.places.insert(name.to_owned(), first.name.span.clone());
        for again in taken {
            let message = format!("`{name}` is there a second time");
            self.sink.warning(Code::KeyTwice, &again.name.span, message, "the first one counts");
        }
        Some(first)
    }

    fn text(&mut self, name: &str) -> Option<Placed<String>> {
        let item = self.once(name)?;
        if let Written::Text(text) = &item.value {
            return Some(text.clone());
        }
        let message = format!("`{name}` is a vector, but has to be a text");
        self.sink.error(Code::WrongType, &item.name.span, message, format!("write it like {name} = \"…\""));
        None
    }

    fn vector(&self, keys: &'static known::Keys, item: &'a Item) -> Option<Vector<'a>> {
        if let Written::Vector(pairs) = &item.value {
            return Some(Vector::new(keys, pairs, self.sink));
        }
        let message = format!("`{}` is a text, but has to be a vector", item.name.value);
        let hint = format!("write it like {} = [ {} = … ]", item.name.value, keys.read[0]);
        self.sink.error(Code::WrongType, &item.name.span, message, hint);
        None
    }

    fn os(&mut self) -> Option<Os> {
        let item = self.once("OS")?;
        let mut vector = self.vector(&known::OS, item)?;
        Some(Os {
            kernel: vector.text("KERNEL").map(Into::into),
            initrd: vector.text("INITRD").map(Into::into),
            root: vector.text("ROOT"),
            kernel_cmd: vector.text("KERNEL_CMD"),
            arch: vector.text("ARCH"),
            other: vector.rest("OS", &mut self.places),
        })
    }

    fn disks(&mut self) -> Option<Vec<super::Disk>> {
        let items = self.take("DISK");
        let mut disks = Vec::new();
        for (n, item) in items.into_iter().enumerate() {
            let about = format!("DISK[{n}]");
            self.places.insert(about.clone(), item.name.span.clone());
            let vector = self.vector(&known::DISK, item);
            disks.push(vector.and_then(|vector| disk::read(vector, &about, &mut self.places, self.sink)));
        }
        disks.into_iter().collect()
    }

    fn nics(&mut self) -> Vec<Nic> {
        let items = self.take("NIC");
        let mut nics = Vec::new();
        for (n, item) in items.into_iter().enumerate() {
            let about = format!("NIC[{n}]");
            self.places.insert(about.clone(), item.name.span.clone());
            let Some(mut vector) = self.vector(&known::NIC, item) else { continue };
            let (bridge, model) = (vector.text("BRIDGE"), vector.text("MODEL"));
            nics.push(Nic { bridge, model, other: vector.rest(&about, &mut self.places) });
        }
        nics
    }

    /// The first EC2 part; the others are kept, so that converting loses none. `PUBLIC_CLOUD` is its newer name.
    fn ec2(&mut self) -> Result<Option<Ec2>, Told> {
        let is_ours = |item: &&Item| match item.name.value.as_str() {
            "EC2" => true,
            "PUBLIC_CLOUD" => matches!(&item.value, Written::Vector(pairs) if names_ec2(&pairs.value)),
            _ => false,
        };
        let mut all = self.items.iter().copied().filter(is_ours);
        let Some(first) = all.next() else { return Ok(None) };
        for again in all {
            let message = "there is a second EC2 part";
            self.sink.warning(
                Code::KeyTwice,
                &again.name.span,
                message,
                "the first one counts: cluster.toml has the clouds",
            );
        }
        self.items.retain(|item| !std::ptr::eq(*item, first));
        self.places.insert("EC2".to_owned(), first.name.span.clone());
        let vector = self.vector(&known::EC2, first).ok_or(Told)?;
        self.ec2_of(vector, first).map(Some).ok_or(Told)
    }

    fn ec2_of(&mut self, mut vector: Vector<'_>, first: &Item) -> Option<Ec2> {
        if first.name.value == "PUBLIC_CLOUD" {
            vector.take("TYPE");
        }
        let ami = vector.text("AMI");
        if ami.is_none() {
            let hint = "add AMI = \"ami-…\": the image that instances start from";
            self.sink.error(Code::MissingKey, &vector.span, "the EC2 part has no `AMI`", hint);
        }
        let key_pair = vector.text("KEYPAIR");
        let instance_type =
            optional(vector.take("INSTANCETYPE").as_ref(), |text| values::instance_type(text, self.sink));
        let ports = vector.take("AUTHORIZED_PORTS").map_or(Some(Vec::new()), |text| values::ports(&text, self.sink));
        let spot = vector.boolean("SPOT");
        let other = vector.rest("EC2", &mut self.places);
        let instance_type = instance_type.ok()?;
        Some(Ec2 { ami: ami?, key_pair, instance_type, authorized_ports: ports?, spot: spot?, other })
    }

    /// Everything else is kept; what nobody knows may be a slip of the finger.
    fn finish(mut self) -> (BTreeMap<String, Vec<Attribute>>, Places) {
        let mut other: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
        for item in &self.items {
            let name = item.name.value.as_str();
            self.places.entry(name.to_owned()).or_insert_with(|| item.name.span.clone());
            if !known::is_known(name) {
                let hint = closest(name, &known::all()).map_or_else(
                    || format!("read here: {}", known::READ.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                let message = format!("nobody knows an attribute `{name}`");
                self.sink.warning(Code::UnknownKey, &item.name.span, message, hint);
            }
            let value = match &item.value {
                Written::Text(text) => Attribute::Single(text.value.clone()),
                Written::Vector(pairs) => Attribute::Vector(words(&pairs.value)),
            };
            other.entry(name.to_owned()).or_default().push(value);
        }
        (other, self.places)
    }
}

fn names_ec2(pairs: &[Pair]) -> bool {
    pairs.iter().any(|pair| pair.key.value == "TYPE" && pair.text.value.eq_ignore_ascii_case("ec2"))
}

/// The first of each key counts, as in OpenNebula.
fn words(pairs: &[Pair]) -> super::Words {
    pairs.iter().rev().map(|pair| (pair.key.value.clone(), pair.text.value.clone())).collect()
}
