//! Where workers go: limits hold, whatever fits is placed, and the reasons can be read.

use landbridge::placement::{Placed, Room, Size, Space, Strategy, Wish, place};
use landbridge_pki::NodeName;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as Generate;

fn name(name: &str) -> NodeName {
    NodeName::new(name).expect("a label")
}

fn size(cpu: u32, memory_mib: u64) -> Size {
    Size { cpu, memory_mib }
}

fn physical(host: &str, total: Size, allocated: Size) -> Room {
    Room { name: name(host), closed: None, machine_type: None, space: Space::Shared { total, allocated } }
}

fn cloud(host: &str, total: u32, taken: u32) -> Room {
    let machine_type = Some("m1.small".to_owned());
    Room {
        name: name(host),
        closed: None,
        machine_type,
        space: Space::Machines { total, taken, each: Some(size(100, 1740)) },
    }
}

/// The design's cluster: two physical hosts, of which the second has a worker, and a cloud.
fn ursa() -> Vec<Room> {
    vec![
        physical("ursa01", size(200, 8192), Size::default()),
        physical("ursa02", size(200, 8192), size(100, 128)),
        cloud("ec2", 2, 0),
    ]
}

fn wish(count: u32) -> Wish {
    Wish {
        count,
        size: size(100, 128),
        runs_on_physical: true,
        runs_in_cloud: true,
        machine_type: Some("m1.small".to_owned()),
        on: None,
        strategy: Strategy::Pack,
    }
}

fn told(rooms: &[Room], wish: &Wish) -> String {
    let reasons = |against: &[(NodeName, landbridge::placement::Against)]| -> String {
        against.iter().map(|(host, why)| ["\n     not ", host.as_str(), ": ", &why.to_string()].concat()).collect()
    };
    let lines = place(rooms, wish).into_iter().enumerate().map(|(n, placed)| match placed {
        Placed::On { host, chosen, against } => format!("{n} -> {host}: {chosen}{}\n", reasons(&against)),
        Placed::Nowhere { against } => format!("{n} -> nowhere{}\n", reasons(&against)),
    });
    lines.collect()
}

#[test]
fn packing_fills_the_fullest_host_first_and_the_cloud_last() {
    insta::assert_snapshot!(told(&ursa(), &wish(6)));
}

#[test]
fn spreading_keeps_hosts_equally_busy() {
    insta::assert_snapshot!(told(&ursa(), &Wish { strategy: Strategy::Spread, ..wish(4) }));
}

#[test]
fn a_host_that_was_asked_for_takes_it_or_nobody_does() {
    let on = |host: &str, count| Wish { on: Some(name(host)), ..wish(count) };
    let told = [("ec2", 3), ("ursa02", 2), ("ursa09", 1)].map(|(host, n)| told(&ursa(), &on(host, n)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_the_template_does_not_say_cannot_be_done() {
    let local_only = Wish { runs_in_cloud: false, on: None, ..wish(4) };
    let cloud_only = Wish { runs_on_physical: false, ..wish(1) };
    let large = Wish { size: size(150, 9000), ..wish(1) };
    insta::assert_snapshot!([local_only, cloud_only, large].map(|wish| told(&ursa(), &wish)).join("\n"));
}

#[test]
fn a_template_of_another_type_goes_to_no_cloud_of_this_one() {
    let other = Wish { machine_type: Some("p4d.24xlarge".into()), runs_on_physical: false, ..wish(1) };
    let any = Wish { machine_type: None, runs_on_physical: false, ..wish(1) };
    insta::assert_snapshot!([other, any].map(|wish| told(&ursa(), &wish)).join("\n"));
}

#[test]
fn a_closed_host_says_why() {
    let mut rooms = ursa();
    rooms[1].closed = Some("silent since 12:03".into());
    rooms[2].closed = Some("has no credentials".into());
    insta::assert_snapshot!(told(&rooms, &wish(3)));
}

fn sizes() -> impl Generate<Value = Size> {
    (0..2000_u32, 0..65_536_u64).prop_map(|(cpu, memory_mib)| size(cpu, memory_mib))
}

fn spaces() -> impl Generate<Value = Space> {
    prop_oneof![
        (sizes(), sizes()).prop_map(|(total, allocated)| Space::Shared { total, allocated }),
        (0..6_u32, 0..6_u32, prop::option::of(sizes())).prop_map(|(total, taken, each)| Space::Machines {
            total,
            taken,
            each
        }),
    ]
}

fn clusters() -> impl Generate<Value = Vec<Room>> {
    let room = (spaces(), prop::bool::weighted(0.2), types());
    prop::collection::vec(room, 0..6).prop_map(|rooms| {
        let named = rooms.into_iter().enumerate().map(|(n, (space, closed, machine_type))| Room {
            name: name(&format!("h{n}")),
            closed: closed.then(|| "closed".into()),
            machine_type: machine_type.filter(|_| matches!(space, Space::Machines { .. })),
            space,
        });
        named.collect()
    })
}

/// One of two types, or none.
fn types() -> impl Generate<Value = Option<String>> {
    prop::option::of(prop_oneof!["m1.small", "m1.large"])
}

fn wishes() -> impl Generate<Value = Wish> {
    let size = (1..800_u32, 1..16_384_u64).prop_map(|(cpu, memory_mib)| size(cpu, memory_mib));
    let on = prop::option::weighted(0.2, (0..7_u32).prop_map(|n| name(&format!("h{n}"))));
    (0..40_u32, size, any::<(bool, bool, bool)>(), on, types()).prop_map(
        |(count, size, (local, cloud, pack), on, machine_type)| Wish {
            count,
            size,
            runs_on_physical: local,
            runs_in_cloud: cloud,
            machine_type,
            on,
            strategy: if pack { Strategy::Pack } else { Strategy::Spread },
        },
    )
}

/// How many workers of the wish a host could take, counted apart from the code under test.
fn capacity(room: &Room, wish: &Wish) -> u64 {
    let other_type =
        wish.machine_type.is_some() && room.machine_type.is_some() && wish.machine_type != room.machine_type;
    if other_type || room.closed.is_some() || wish.on.as_ref().is_some_and(|only| *only != room.name) {
        return 0;
    }
    match room.space {
        Space::Shared { total, allocated } if wish.runs_on_physical => {
            let cpu = total.cpu.saturating_sub(allocated.cpu) / wish.size.cpu;
            let memory = total.memory_mib.saturating_sub(allocated.memory_mib) / wish.size.memory_mib;
            u64::from(cpu).min(memory)
        }
        Space::Machines { total, taken, each } if wish.runs_in_cloud => {
            let large = each.is_none_or(|e| wish.size.cpu <= e.cpu && wish.size.memory_mib <= e.memory_mib);
            if large { u64::from(total.saturating_sub(taken)) } else { 0 }
        }
        _ => 0,
    }
}

proptest! {
    #[test]
    fn no_limit_is_exceeded_and_whatever_fits_is_placed(rooms in clusters(), wish in wishes()) {
        let placed = place(&rooms, &wish);
        prop_assert_eq!(placed.len(), wish.count as usize);
        let on = |host: &NodeName| placed.iter().filter(|p| matches!(p, Placed::On { host: h, .. } if h == host)).count();
        for room in &rooms {
            prop_assert!(on(&room.name) as u64 <= capacity(room, &wish), "{:?} is too full", room);
        }
        let fits: u64 = rooms.iter().map(|room| capacity(room, &wish)).sum();
        let all: usize = rooms.iter().map(|room| on(&room.name)).sum();
        prop_assert_eq!(all as u64, fits.min(wish.count.into()));
    }

    #[test]
    fn the_cloud_waits_for_the_last_physical_host(rooms in clusters(), wish in wishes()) {
        let placed = place(&rooms, &wish);
        let in_cloud = |placed: &Placed| match placed {
            Placed::On { chosen, .. } => Some(matches!(chosen.before, Space::Machines { .. })),
            Placed::Nowhere { .. } => None,
        };
        let order: Vec<bool> = placed.iter().filter_map(in_cloud).collect();
        prop_assert!(order.is_sorted(), "a physical host was taken after a cloud");
    }

    #[test]
    fn nowhere_gives_a_reason_for_every_host(rooms in clusters(), wish in wishes()) {
        prop_assert_eq!(place(&rooms, &wish), place(&rooms, &wish));
        for placed in place(&rooms, &wish) {
            let Placed::Nowhere { against } = placed else { continue };
            let unknown = wish.on.as_ref().is_some_and(|only| rooms.iter().all(|room| room.name != *only));
            prop_assert_eq!(against.len(), if unknown { 1 } else { rooms.len() });
        }
    }
}
