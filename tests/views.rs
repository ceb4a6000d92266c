//! What lists and pages look like.

mod sample;

use insta::assert_snapshot;
use landbridge::cli::Style;
use landbridge::cli::render;
use landbridge::view::{ClusterView, DeployStep, DeployView, HostView, WorkerDeploy};
use landbridge_node::wire::Stage;
use sample::{big, booted, empty, now, refused, small};

#[test]
fn hosts_are_listed_as_in_opennebula() {
    assert_snapshot!(render::host_list(&small().hosts, Style::Plain));
}

#[test]
fn a_list_of_hosts_in_trouble_says_so() {
    assert_snapshot!(render::host_list(&big().hosts, Style::Plain));
}

#[test]
fn an_empty_list_is_its_header() {
    assert_snapshot!(render::host_list(&[], Style::Plain) + &render::worker_list(&[], now(), Style::Plain));
}

#[test]
fn workers_are_listed_wherever_they_run() {
    assert_snapshot!(render::worker_list(&small().workers, now(), Style::Plain));
}

#[test]
fn a_list_of_workers_in_trouble_says_so() {
    assert_snapshot!(render::worker_list(&big().workers[..12], now(), Style::Plain));
}

#[test]
fn a_host_is_shown_with_its_workers() {
    let view = small();
    let workers: Vec<_> = view.workers_on("ursa01").collect();
    assert_snapshot!(render::host_show(&view.hosts[0], &workers, now(), Style::Plain));
}

#[test]
fn a_ready_worker_is_shown_with_its_timeline() {
    assert_snapshot!(render::worker_show(&small().workers[0], now(), Style::Plain));
}

#[test]
fn a_worker_that_was_booted_shows_its_machines_way_and_where_it_could_not_go() {
    assert_snapshot!(render::worker_show(&booted(), now(), Style::Plain));
}

#[test]
fn deploy_figures_are_told_by_host_and_kind() {
    let way = |id, host: &str, kind: &str, slower: u64, ready: bool| WorkerDeploy {
        id,
        name: format!("w{id}"),
        host: host.into(),
        kind: kind.into(),
        asked: now(),
        attempts: 1,
        steps: booted().boot.into_iter().map(|s| DeployStep { took_ms: s.took_ms * slower, ..s }).collect(),
        ready_ms: ready.then_some(8_600 * slower),
    };
    let workers = vec![
        way(1, "ursa01", "libvirt", 1, true),
        way(2, "ec2", "m1.small", 3, true),
        way(3, "ursa01", "libvirt", 2, true),
        way(4, "ursa02", "libvirt", 1, false),
    ];
    assert_snapshot!(render::deploys(&DeployView::of(workers), Style::Plain));
}

#[test]
fn without_workers_there_are_no_deploy_figures() {
    assert_snapshot!(render::deploys(&DeployView::default(), Style::Plain));
}

#[test]
fn a_failed_worker_says_what_was_expected_and_what_to_do() {
    assert_snapshot!(render::worker_show(&big().workers[3], now(), Style::Plain));
}

#[test]
fn a_joining_worker_names_its_stage() {
    assert_snapshot!(render::worker_show(&small().workers[4], now(), Style::Plain));
}

#[test]
fn the_status_of_an_empty_cluster_fits_a_glance() {
    assert_snapshot!(render::status(&empty(), Style::Plain));
}

#[test]
fn the_status_of_a_small_cluster_fits_a_glance() {
    assert_snapshot!(render::status(&small(), Style::Plain));
}

#[test]
fn the_status_of_a_big_cluster_fits_a_screen() {
    let status = render::status(&big(), Style::Plain);
    assert!(status.lines().count() <= 24, "more than a screen");
    assert_snapshot!(status);
}

#[test]
fn health_is_what_the_exit_status_says() {
    assert!(render::is_healthy(&empty()) && render::is_healthy(&small()));
    assert!(!render::is_healthy(&big()));
}

#[test]
fn a_list_on_a_terminal_has_colours_and_the_same_words() {
    let fancy = render::worker_list(&big().workers, now(), Style::Fancy { width: 100 });
    assert!(fancy.contains("\u{1b}["), "no colour");
    let plain = render::worker_list(&big().workers, now(), Style::Plain);
    assert!(!plain.contains('\u{1b}'), "colour in plain text");
    for word in ["ready", "draining", "failed: nfs", "lost"] {
        assert!(fancy.contains(word) && plain.contains(word), "{word}");
    }
}

#[test]
fn every_view_survives_the_way_through_json() {
    for view in [empty(), small(), big()] {
        let back: ClusterView = serde_json::from_str(&render::json(&view)).expect("our own JSON");
        assert_eq!(back, view);
    }
}

#[test]
fn json_of_a_host_has_every_figure() {
    assert_snapshot!(render::json::<[HostView]>(&small().hosts[..1]));
}

#[test]
fn json_of_a_worker_has_every_figure() {
    assert_snapshot!(render::json(&small().workers[4]));
}

#[test]
fn the_failed_stage_is_the_first_that_failed() {
    assert_eq!(refused().failed().map(|(stage, _)| stage), Some(Stage::Nfs));
}
