//! Security groups, and what needs them.

use std::collections::BTreeSet;

use super::form::Form;
use super::world::{Group, Rule, World, passes};
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
    // As EC2 does: all who may come to the same ports in one rule.
    let rules = it.ports().into_iter().map(|(from, to)| {
        let ports = xml::text("fromPort", &from.to_string()) + &xml::text("toPort", &to.to_string());
        let who = || it.rules.iter().filter(|rule| (rule.0, rule.1) == (from, to)).map(|rule| rule.2.as_str());
        let v4 = who().filter(|cidr| !cidr.contains(':')).map(|cidr| xml::text("cidrIp", cidr));
        let v6 = who().filter(|cidr| cidr.contains(':')).map(|cidr| xml::text("cidrIpv6", cidr));
        xml::text("ipProtocol", "tcp") + &ports + &xml::list("ipRanges", v4) + &xml::list("ipv6Ranges", v6)
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
    world.groups.push(Group {
        id: id.clone(),
        name,
        tags: form.tags("security-group"),
        hidden,
        rules: BTreeSet::new(),
    });
    Ok(xml::text("groupId", &id))
}

/// What a request names.
fn rules(form: &Form) -> Vec<Rule> {
    let port = |n: usize, which: &str| form.value(&format!("IpPermissions.{n}.{which}")).parse::<u16>().ok();
    let ports = (1..).map_while(|n| Some((n, port(n, "FromPort")?, port(n, "ToPort")?)));
    let who = |n: usize| {
        [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")].into_iter().flat_map(move |(list, key)| {
            let one = move |m: usize| form.value(&format!("IpPermissions.{n}.{list}.{m}.{key}")).to_owned();
            (1..).map(one).take_while(|cidr| !cidr.is_empty())
        })
    };
    ports.flat_map(|(n, from, to)| who(n).map(move |cidr| (from, to, cidr))).collect()
}

fn find<'a>(world: &'a mut World, form: &Form) -> Result<&'a mut Group, (&'static str, u16)> {
    let id = form.value("GroupId");
    world.groups.iter_mut().find(|it| it.id == id).ok_or(("InvalidGroup.NotFound", 400))
}

fn authorize(world: &mut World, form: &Form) -> Inside {
    let group = find(world, form)?;
    if group.hidden > 0 {
        return Err(("InvalidGroup.NotFound", 400));
    }
    let wanted = rules(form);
    // All of them, or none.
    if wanted.iter().any(|rule| group.rules.contains(rule)) {
        return Err(("InvalidPermission.Duplicate", 400));
    }
    group.rules.extend(wanted);
    Ok(xml::text("return", "true"))
}

fn revoke(world: &mut World, form: &Form) -> Inside {
    let gone = rules(form);
    find(world, form)?.rules.retain(|rule| !gone.contains(rule));
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
