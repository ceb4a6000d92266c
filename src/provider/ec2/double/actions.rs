//! What the cloud does when it is asked, as EC2's API reference has it.

use super::form::Form;
use super::world::{Instance, Volume, World, passes};
use super::{groups, xml};

/// An answer's text, or a code and an HTTP status.
pub(super) type Outcome = Result<String, (&'static str, u16)>;

/// The one image.
pub(in super::super) const IMAGE: &str = "ami-d5c226bc";

pub(super) fn perform(world: &mut World, form: &Form) -> Outcome {
    let action = form.action();
    let inside = match action {
        "RunInstances" => run(world, form)?,
        "DescribeInstances" => instances(world, form),
        "TerminateInstances" => terminate(world, form)?,
        "DescribeImages" => images(form)?,
        "DescribeInstanceTypes" => types(form)?,
        "DescribeVolumes" => volumes(world, form),
        "DeleteVolume" => delete_volume(world, form)?,
        "DescribeSpotInstanceRequests" => spot(world, form),
        "GetConsoleOutput" => console(world, form)?,
        "DescribeVpcs" => xml::list("vpcSet", [xml::text("vpcId", groups::NETWORK)]),
        "DescribeSubnets" => xml::list("subnetSet", [xml::text("vpcId", groups::NETWORK)]),
        _ => groups::perform(world, form)?,
    };
    Ok(xml::answer(action, &inside))
}

/// A token that was used gives what it gave, whatever has become of it, for at least a day.
fn run(world: &mut World, form: &Form) -> Result<String, (&'static str, u16)> {
    let token = form.value("ClientToken");
    let ids = match world.tokens.get(token) {
        Some((parameters, _)) if parameters != form.parameters() => return Err(("IdempotentParameterMismatch", 400)),
        Some((_, ids)) => ids.clone(),
        None => launch(world, form)?,
    };
    let made = world.instances.iter().filter(|it| ids.contains(&it.id)).map(instance);
    Ok(xml::text("reservationId", "r-1") + &xml::list("instancesSet", made))
}

fn launch(world: &mut World, form: &Form) -> Result<Vec<String>, (&'static str, u16)> {
    groups::check(world, &form.list("SecurityGroupId"))?;
    let (least, most) = (form.number("MinCount").unwrap_or(1), form.number("MaxCount").unwrap_or(1));
    let count = most.min(world.room.saturating_sub(world.living()));
    if count < least {
        return Err(("InsufficientInstanceCapacity", 500));
    }
    let ids = world.start(form, count);
    world.tokens.insert(form.value("ClientToken").to_owned(), (form.parameters().clone(), ids.clone()));
    Ok(ids)
}

fn instance(it: &Instance) -> String {
    let request = it.spot.map_or(String::new(), |_| xml::text("spotInstanceRequestId", &it.id.replace("i-", "sir-")));
    let reason = it.reason.map_or(String::new(), |words| xml::element("stateReason", &xml::text("message", words)));
    let groups = xml::list("groupSet", it.groups.iter().map(|id| xml::text("groupId", id)));
    [
        xml::text("instanceId", &it.id),
        xml::element("instanceState", &xml::text("name", it.state)),
        xml::text("privateIpAddress", "172.31.0.11"),
        xml::text("launchTime", "2026-11-22T10:00:00.000Z"),
        xml::text("clientToken", &it.token),
        reason,
        groups,
        xml::tags(&it.tags),
        request,
    ]
    .concat()
}

fn instances(world: &mut World, form: &Form) -> String {
    let filters = form.filters();
    let passing = world.instances.iter().filter(|it| it.hidden == 0 && passes(&filters, &it.tags, &[]));
    let from = form.number("NextToken").unwrap_or(0);
    let all: Vec<String> = passing.map(instance).collect();
    let page = all.iter().skip(from).take(world.page).map(|it| xml::list("instancesSet", [it.clone()]));
    let mut text = xml::list("reservationSet", page);
    if all.len() > from + world.page {
        text += &xml::text("nextToken", &(from + world.page).to_string());
    }
    world.advance();
    text
}

fn terminate(world: &mut World, form: &Form) -> Result<String, (&'static str, u16)> {
    let ids = form.list("InstanceId");
    let known = |id: &String| world.instances.iter().any(|it| it.id == *id && it.hidden == 0);
    if !ids.iter().all(known) {
        return Err(("InvalidInstanceID.NotFound", 400));
    }
    for it in world.instances.iter_mut().filter(|it| ids.contains(&it.id) && it.state != "terminated") {
        it.state = "shutting-down";
    }
    Ok(xml::list("instancesSet", ids.iter().map(|id| xml::text("instanceId", id))))
}

fn images(form: &Form) -> Result<String, (&'static str, u16)> {
    if form.list("ImageId") != [IMAGE] {
        return Err(("InvalidAMIID.NotFound", 400));
    }
    let volume = |name| xml::text("deviceName", name) + &xml::element("ebs", &xml::text("volumeSize", "8"));
    let image = [
        xml::text("imageId", IMAGE),
        xml::text("rootDeviceType", "ebs"),
        xml::text("rootDeviceName", "/dev/xvda"),
        xml::list("blockDeviceMapping", ["/dev/xvda", "/dev/xvdb"].map(volume)),
    ];
    Ok(xml::list("imagesSet", [image.concat()]))
}

fn types(form: &Form) -> Result<String, (&'static str, u16)> {
    if form.list("InstanceType") != ["m1.small"] {
        return Err(("InvalidInstanceType", 400));
    }
    let size = xml::element("vCpuInfo", &xml::text("defaultVCpus", "1"))
        + &xml::element("memoryInfo", &xml::text("sizeInMiB", "1740"));
    Ok(xml::list("instanceTypeSet", [xml::text("instanceType", "m1.small") + &size]))
}

fn volumes(world: &World, form: &Form) -> String {
    let filters = form.filters();
    let passing = world.volumes.iter().filter(|it| passes(&filters, &it.tags, &[("volume-id", &it.id)]));
    xml::list("volumeSet", passing.map(volume))
}

fn volume(it: &Volume) -> String {
    let status = if it.instance.is_some() { "in-use" } else { "available" };
    let attached = xml::list("attachmentSet", it.instance.iter().map(|id| xml::text("instanceId", id)));
    [xml::text("volumeId", &it.id), xml::text("status", status), attached, xml::tags(&it.tags)].concat()
}

fn delete_volume(world: &mut World, form: &Form) -> Result<String, (&'static str, u16)> {
    let id = form.value("VolumeId");
    let place = world.volumes.iter().position(|it| it.id == id).ok_or(("InvalidVolume.NotFound", 400))?;
    if world.volumes[place].instance.is_some() {
        return Err(("VolumeInUse", 400));
    }
    world.volumes.remove(place);
    Ok(xml::text("return", "true"))
}

fn spot(world: &World, form: &Form) -> String {
    let filters = form.filters().into_iter().filter(|(name, _)| name == "spot-instance-request-id");
    let ids: Vec<String> = filters.flat_map(|(_, values)| values).collect();
    let ours = world.instances.iter().filter_map(|it| Some((it.id.replace("i-", "sir-"), it.spot?)));
    let requests = ours.filter(|(id, _)| ids.contains(id)).map(|(id, code)| {
        let status = xml::text("code", code) + &xml::text("updateTime", "2026-11-22T11:00:00.000Z");
        xml::text("spotInstanceRequestId", &id) + &xml::element("status", &status)
    });
    xml::list("spotInstanceRequestSet", requests)
}

fn console(world: &World, form: &Form) -> Result<String, (&'static str, u16)> {
    use base64::Engine as _;
    // An m1 is on the old hypervisor.
    if form.value("Latest") == "true" {
        return Err(("UnsupportedOperation", 400));
    }
    let found = world.instances.iter().find(|it| it.id == form.value("InstanceId"));
    let it = found.ok_or(("InvalidInstanceID.NotFound", 400))?;
    Ok(xml::text("output", &base64::engine::general_purpose::STANDARD.encode(&it.console)))
}
