use jiff::Timestamp;

use super::MachineState::{Gone, Off, Pending, Running, Stopping};
use super::*;
use crate::provider::{Accelerated, Offered};

#[tokio::test]
async fn every_page_is_read() {
    let (double, ec2) = start().await;
    double.world(|it| it.page = 2);
    for n in 0..5 {
        made(&ec2, n).await;
    }
    let mut ids: Vec<i64> = ec2.machines().await.expect("a list").iter().map(|it| it.launch.worker_id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn an_instance_goes_through_its_states() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    let mut seen = vec![ec2.machines().await.expect("a list")[0].state];
    seen.push(ec2.machines().await.expect("a list")[0].state);
    double.world(|it| it.instances[0].state = "shutting-down");
    for _ in 0..2 {
        seen.push(ec2.machines().await.expect("a list")[0].state);
    }
    assert_eq!(seen, [Pending, Running, Stopping, Gone]);
}

#[tokio::test]
async fn one_that_somebody_has_stopped_is_off() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.world(|it| it.instances[0].state = "stopped");
    assert_eq!(ec2.machines().await.expect("a list")[0].state, Off);
}

#[tokio::test]
async fn why_one_ended_by_itself_is_told_in_ec2s_words() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    assert_eq!(ec2.machines().await.expect("a list")[0].because, None);
    // What becomes of an instance whose root can't be decrypted.
    double.world(|it| {
        it.instances[0].state = "terminated";
        it.instances[0].reason = Some("Client.InternalError: Client error on launch");
    });
    let machine = ec2.machines().await.expect("a list").remove(0);
    assert_eq!(
        (machine.state, machine.because.as_deref()),
        (Gone, Some("Client.InternalError: Client error on launch"))
    );
}

#[tokio::test]
async fn a_spot_instances_notice_says_when_it_is_taken_back() {
    let double = Double::start().await;
    let market = crate::spec::Cloud { spot: true, ..cloud(double.endpoint()) };
    let ec2 = provider(cluster("ursa"), market, SHORT).await;
    made(&ec2, 1).await;
    assert_eq!(ec2.machines().await.expect("a list")[0].reclaimed_at, None);
    double.world(|it| it.instances[0].spot = Some("marked-for-termination"));
    let at: Timestamp = "2026-11-22T11:02:00Z".parse().expect("a time");
    assert_eq!(ec2.machines().await.expect("a list")[0].reclaimed_at, Some(at));
}

#[tokio::test]
async fn machines_are_listed_although_the_spot_market_may_not_be_asked() {
    let double = Double::start().await;
    let market = crate::spec::Cloud { spot: true, ..cloud(double.endpoint()) };
    let ec2 = provider(cluster("ursa"), market, SHORT).await;
    made(&ec2, 1).await;
    double.world(|it| it.instances[0].spot = Some("marked-for-termination"));
    double.next("DescribeSpotInstanceRequests", Fate::Fault("UnauthorizedOperation", 403));
    assert_eq!(ec2.machines().await.expect("a list")[0].reclaimed_at, None);
    assert!(ec2.machines().await.expect("a list")[0].reclaimed_at.is_some(), "it was asked again");
}

#[tokio::test]
async fn the_spot_market_is_not_asked_when_nothing_comes_from_it() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    ec2.machines().await.expect("a list");
    assert_eq!(double.asked("DescribeSpotInstanceRequests"), 0);
}

#[tokio::test]
async fn the_instance_type_says_what_is_offered_unless_the_file_does() {
    let (double, ec2) = start().await;
    let description = format!("EC2 us-east-1 at {}, m1.small", double.endpoint());
    let accelerated = Accelerated::NotOurs;
    let offered = Offered { cpu: 100, memory_mib: 1740, accelerated, description };
    assert_eq!(ec2.offered().await.expect("an offer"), offered);
    let told = crate::spec::Cloud { cpus: Some(2), memory_mib: Some(4096), ..cloud(double.endpoint()) };
    let ec2 = provider(cluster("ursa"), told, SHORT).await;
    assert_eq!(ec2.offered().await.expect("an offer"), Offered { cpu: 200, memory_mib: 4096, ..offered });
    assert_eq!(double.asked("DescribeInstanceTypes"), 1);
}

#[tokio::test]
async fn the_console_is_read_on_the_older_hypervisor_too() {
    let (double, ec2) = start().await;
    assert_eq!(ec2.console(&launch(1)).await.expect("an answer"), None);
    made(&ec2, 1).await;
    double.world(|it| it.instances[0].console = "e1 login:".into());
    assert_eq!(ec2.console(&launch(1)).await.expect("an answer").as_deref(), Some("e1 login:"));
}
