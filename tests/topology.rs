//! The picture of the cluster.

mod sample;

use std::collections::BTreeSet;

use insta::assert_snapshot;
use landbridge::cli::{Style, render};
use landbridge::topology::text;
use landbridge::topology::{Topology, svg};
use landbridge::view::{ClusterView, HostState, Tone, WorkerState};
use landbridge_node::wire::Via;
use proptest::prelude::*;
use quick_xml::events::Event;
use sample::{big, cloud, empty, physical, small, worker};

#[test]
fn an_empty_cluster_is_a_front_end_waiting_for_hosts() {
    assert_snapshot!(render::topology(&empty(), Style::Plain));
}

#[test]
fn a_small_cluster_looks_like_the_design() {
    assert_snapshot!(render::topology(&small(), Style::Plain));
}

#[test]
fn a_big_cluster_stays_readable() {
    assert_snapshot!(render::topology(&big(), Style::Plain));
}

#[test]
fn the_pictures_for_a_browser_stay_as_they_were_agreed() {
    for (name, view) in [("empty", empty()), ("small", small()), ("big", big())] {
        assert_snapshot!(format!("svg_{name}"), svg(&Topology::of(&view)));
    }
}

/// A cluster of any size: physical hosts, clouds and workers in every state on them, or on none.
fn sized(hosts: u32, clouds: u32, workers: u64, name: &str) -> ClusterView {
    let mut view = empty();
    view.hosts = (0..hosts).map(|n| physical(n, &format!("{name}{n}"), 1)).collect();
    view.hosts.extend((0..clouds).map(|n| cloud(hosts + n, &format!("{name}-cloud{n}"), 1)));
    view.hosts.iter_mut().step_by(3).for_each(|host| host.state = HostState::Silent);
    view.workers = (0..workers)
        .map(|id| {
            let on = usize::try_from(id).expect("small") % (view.hosts.len() + 1);
            let via = if on < hosts as usize { Via::Bridge } else { Via::Tunnel };
            let mut one = worker(id, &format!("{name}-w{id}"), "", via);
            one.host = view.hosts.get(on).map(|host| host.name.clone());
            one.state = WorkerState::ALL[usize::try_from(id).expect("small") % 8];
            one
        })
        .collect();
    view
}

/// Every title in a document, and proof that it is well-formed.
fn titles(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut titles, mut in_title, mut depth) = (Vec::new(), false, 0_i32);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) => {
                depth += 1;
                in_title = start.name().as_ref() == "title";
                if in_title {
                    titles.push(String::new());
                }
            }
            Event::End(_) => {
                depth -= 1;
                in_title = false;
            }
            Event::Text(text) if in_title => {
                titles.last_mut().expect("an open title").push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "an element was left open");
    titles
}

#[test]
fn names_that_look_like_markup_stay_names() {
    let mut view = sized(2, 1, 6, "x");
    view.hosts[0].failure = Some("<script>alert(1)</script> & \u{1}\"'".into());
    view.workers[0].name = "</svg>".into();
    let document = svg(&Topology::of(&view));
    assert!(!titles(&document).is_empty());
    assert!(!document.contains("<script") && document.matches("</svg>").count() == 1);
}

#[test]
fn troubled_workers_are_drawn_before_the_rest_is_counted() {
    let mut view = sized(1, 0, 0, "x");
    view.workers = (0..200).map(|id| worker(id, &format!("w{id}"), "x0", Via::Bridge)).collect();
    view.workers[199].state = WorkerState::Failed;
    let group = &Topology::of(&view).hosts[0];
    let (shown, hidden) = group.shown(12);
    assert_eq!((shown.len(), hidden), (11, 189));
    assert_eq!((shown[0].name.as_str(), shown[0].tone), ("w199", Tone::Bad));
}

#[test]
fn every_state_has_a_mark_of_its_own_tone() {
    let marks: BTreeSet<char> = [Tone::Bad, Tone::Busy, Tone::Fading, Tone::Good].map(Tone::mark).into();
    assert_eq!(marks.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cluster_can_be_drawn_and_nothing_is_lost(
        hosts in 0_u32..12,
        clouds in 0_u32..4,
        workers in 0_u64..200,
        width in 80_usize..=120,
        name in "[a-z]{1,40}",
    ) {
        let topology = Topology::of(&sized(hosts, clouds, workers, &name));
        prop_assert_eq!(u64::try_from(topology.workers()).expect("small"), workers);
        for group in topology.hosts.iter().chain(&topology.clouds) {
            let (shown, hidden) = group.shown(12);
            prop_assert_eq!(shown.len() + hidden, group.workers.len());
        }
        for line in text(&topology, width) {
            let columns: usize = line.iter().map(|run| run.text.chars().count()).sum();
            prop_assert!(columns <= width, "{columns} columns of {width}");
        }
        let titles = titles(&svg(&topology));
        let groups = topology.hosts.len() + topology.clouds.len();
        prop_assert!(titles.len() > groups, "a card for each of the {groups} groups");
    }

    #[test]
    fn cards_never_overlap(hosts in 0_u32..12, clouds in 0_u32..4, workers in 0_u64..200) {
        let document = svg(&Topology::of(&sized(hosts, clouds, workers, "h")));
        let cards: Vec<[i64; 4]> = document
            .lines()
            .filter(|line| line.starts_with("<rect class=\"card\"") || line.starts_with("<rect class=\"cloud\""))
            .map(|line| ["x", "y", "width", "height"].map(|key| number(line, key)))
            .collect();
        prop_assert!(cards.len() > (hosts + clouds) as usize);
        for (n, [x, y, w, h]) in cards.iter().enumerate() {
            for [x2, y2, w2, h2] in &cards[..n] {
                let apart = x + w <= *x2 || x2 + w2 <= *x || y + h <= *y2 || y2 + h2 <= *y;
                prop_assert!(apart, "{document}");
            }
        }
    }
}

fn number(line: &str, key: &str) -> i64 {
    let (_, rest) = line.split_once(&format!(" {key}=\"")).expect("the attribute");
    rest.split('"').next().expect("a value").parse().expect("a number")
}
