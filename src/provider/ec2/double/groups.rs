//! Security groups, and what needs them.

use super::form::Form;
use super::world::{Group, World, passes};
use super::xml;

/// The one network.
pub(super) const NETWORK: &str = "vpc-1";

type Inside = Result<String, (&'static str, u16)>;

pub(super) fn perform(world: &mut World, form: &Form) -> Inside {
    match form.action() {
        "DescribeSecurityGroups" => Ok(list(world, form)),
        "CreateSecurityGroup" => create(world, form),
        "AuthorizeSecurityGroupIngress" => authorize(world, form),
        "RevokeSecurityGroupIngress" => revoke(world, form),
        "DeleteSecurityGroup" => delete(world, form),
        _ => Err(("InvalidAction", 400)),
    }
}

/// Whether an instance may be in these.
pub(super) fn check(world: &World, ids: &[String]) -> Result<(), (&'static str, u16)> {
    let known = |id: &String| world.groups.iter().any(|it| it.id == *id && it.hidden == 0);
    if ids.iter().all(known) { Ok(()) } else { Err(("InvalidGroup.NotFound", 400)) }
}

fn list(world: &mut World, form: &Form) -> String {
    let filters = form.filters();
    let passing = world.groups.iter().filter(|it| {
        let properties = [("vpc-id", NETWORK), ("group-id", it.id.as_str()), ("group-name", it.name.as_str())];
        it.hidden == 0 && passes(&filters, &it.tags, &properties)
    });
    let text = xml::list("securityGroupInfo", passing.map(group));
    for it in &mut world.groups {
        it.hidden = it.hidden.saturating_sub(1);
    }
    text
}

fn group(it: &Group) -> String {
    let everybody = xml::list("ipRanges", [xml::text("cidrIp", "0.0.0.0/0")])
        + &xml::list("ipv6Ranges", [xml::text("cidrIpv6", "::/0")]);
    let rules = it.ports.iter().map(|(from, to)| {
        let ports = xml::text("fromPort", &from.to_string()) + &xml::text("toPort", &to.to_string());
        xml::text("ipProtocol", "tcp") + &ports + &everybody
    });
    [
        xml::text("groupId", &it.id),
        xml::text("groupName", &it.name),
        xml::list("ipPermissions", rules),
        xml::tags(&it.tags),
    ]
    .concat()
}

fn create(world: &mut World, form: &Form) -> Inside {
    let name = form.value("GroupName").to_owned();
    if world.groups.iter().any(|it| it.name == name) {
        return Err(("InvalidGroup.Duplicate", 400));
    }
    let (id, hidden) = (world.id("sg"), world.late);
    world.groups.push(Group { id: id.clone(), name, tags: form.tags("security-group"), hidden, ports: Vec::new() });
    Ok(xml::text("groupId", &id))
}

/// The ranges of ports that a request names.
fn ports(form: &Form) -> Vec<(u16, u16)> {
    let port = |n: usize, which: &str| form.value(&format!("IpPermissions.{n}.{which}")).parse().ok();
    (1..).map_while(|n| Some((port(n, "FromPort")?, port(n, "ToPort")?))).collect()
}

fn find<'a>(world: &'a mut World, form: &Form) -> Result<&'a mut Group, (&'static str, u16)> {
    let id = form.value("GroupId");
    world.groups.iter_mut().find(|it| it.id == id).ok_or(("InvalidGroup.NotFound", 400))
}

fn authorize(world: &mut World, form: &Form) -> Inside {
    let group = find(world, form)?;
    let wanted = ports(form);
    if wanted.iter().any(|range| group.ports.contains(range)) {
        return Err(("InvalidPermission.Duplicate", 400));
    }
    group.ports.extend(wanted);
    Ok(xml::text("return", "true"))
}

fn revoke(world: &mut World, form: &Form) -> Inside {
    let gone = ports(form);
    find(world, form)?.ports.retain(|range| !gone.contains(range));
    Ok(xml::text("return", "true"))
}

fn delete(world: &mut World, form: &Form) -> Inside {
    let id = form.value("GroupId").to_owned();
    find(world, form)?;
    if world.instances.iter().any(|it| it.state != "terminated" && it.groups.contains(&id)) {
        return Err(("DependencyViolation", 400));
    }
    world.groups.retain(|it| it.id != id);
    Ok(xml::text("return", "true"))
}
