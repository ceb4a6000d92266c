use futures_util::future::join_all;
use rstest::rstest;

use super::*;

#[tokio::test]
async fn an_order_becomes_an_instance_with_all_that_was_promised() {
    let (double, ec2) = start().await;
    let machine = made(&ec2, 7).await;
    assert_eq!(machine.launch, launch(7));
    assert_eq!(machine.state, MachineState::Pending);
    assert_eq!(machine.address.map(|it| it.to_string()).as_deref(), Some("172.31.0.11"));
    insta::assert_snapshot!("request", double.last("RunInstances").lines_without(&["Action", "Version"]));
}

#[tokio::test]
async fn the_spot_market_is_asked_when_the_template_or_the_cloud_says_so() {
    let double = Double::start().await;
    let mut order = an_order(1);
    order.template.ec2.as_mut().expect("an EC2 part").spot = true;
    let ec2 = provider(cluster("ursa"), cloud(double.endpoint()), SHORT).await;
    ec2.provision(&order).await.expect("an instance");
    let asked = double.last("RunInstances");
    assert_eq!(asked.value("InstanceMarketOptions.MarketType"), "spot");
    assert_eq!(asked.value("InstanceMarketOptions.SpotOptions.SpotInstanceType"), "one-time");

    let market = crate::spec::Cloud { spot: true, ..cloud(double.endpoint()) };
    let ec2 = provider(cluster("ursa"), market, SHORT).await;
    made(&ec2, 2).await;
    assert_eq!(double.last("RunInstances").value("InstanceMarketOptions.MarketType"), "spot");
}

#[tokio::test]
async fn the_same_order_again_is_the_same_instance_and_another_attempt_is_another() {
    let (double, ec2) = start().await;
    let first = made(&ec2, 1).await;
    assert_eq!(made(&ec2, 1).await.id, first.id);
    let mut order = an_order(1);
    order.launch.attempt = 2;
    assert_ne!(ec2.provision(&order).await.expect("an instance").id, first.id);
    assert_eq!(double.world(|it| it.living()), 2);
}

#[rstest]
#[case::cut_after_it_was_done(Fate::DoneAndCut)]
#[case::never_answered(Fate::DoneAndSilent)]
#[case::answered_late(Fate::Late(std::time::Duration::from_secs(1)))]
#[case::cut_before(Fate::Cut)]
#[tokio::test]
async fn nobody_knows_after_a_lost_answer_and_the_next_time_there_is_one_instance(#[case] fate: Fate) {
    let (double, ec2) = start_with(ONCE).await;
    double.next("RunInstances", fate);
    let error = refused(&ec2, &an_order(1)).await;
    assert_eq!((error.kind, error.left), (FailureKind::Passing, Left::Unknown));
    made(&ec2, 1).await;
    assert_eq!(double.world(|it| it.living()), 1);
}

#[rstest]
#[case::cut(Fate::DoneAndCut)]
#[case::done_twice(Fate::Twice)]
#[case::throttled(Fate::Fault("RequestLimitExceeded", 503))]
#[case::trouble(Fate::Fault("InternalError", 500))]
#[tokio::test]
async fn a_passing_failure_is_asked_again_and_makes_one_instance(#[case] fate: Fate) {
    let (double, ec2) = start().await;
    double.next("RunInstances", fate);
    made(&ec2, 1).await;
    assert_eq!(double.world(|it| it.living()), 1);
}

#[tokio::test]
async fn an_instance_that_is_shown_late_is_found_by_its_token() {
    let (double, ec2) = start_with(ONCE).await;
    made(&ec2, 9).await; // its group is there and shown
    double.world(|it| it.late = 3);
    double.next("RunInstances", Fate::DoneAndCut);
    refused(&ec2, &an_order(1)).await;
    made(&ec2, 1).await;
    assert_eq!(double.asked("RunInstances"), 3, "it wasn't shown, so it was asked for again");
    assert_eq!(double.world(|it| it.living()), 2);
}

#[tokio::test]
async fn other_words_for_the_same_launch_find_the_instance_that_the_first_words_made() {
    let (double, ec2) = start_with(ONCE).await;
    made(&ec2, 9).await;
    double.world(|it| it.late = 3);
    double.next("RunInstances", Fate::DoneAndCut);
    refused(&ec2, &an_order(1)).await;
    let mut order = an_order(1);
    order.seed.user_data.push_str("# another token\n");
    let machine = ec2.provision(&order).await.expect("the first one");
    assert_eq!(machine.launch, launch(1));
    assert_eq!(double.world(|it| it.living()), 2);
}

#[tokio::test]
async fn other_words_for_a_launch_that_is_never_shown_are_refused() {
    let (double, ec2) = start_with(ONCE).await;
    made(&ec2, 9).await;
    double.world(|it| it.late = 1000);
    double.next("RunInstances", Fate::DoneAndCut);
    refused(&ec2, &an_order(1)).await;
    let mut order = an_order(1);
    order.seed.user_data.push_str("# another token\n");
    let error = refused(&ec2, &order).await;
    assert_eq!((error.kind, error.left), (FailureKind::Refused, Left::Unknown));
}

#[tokio::test]
async fn a_launch_whose_instance_is_gone_is_not_made_again() {
    let (double, ec2) = start().await;
    let first = made(&ec2, 1).await;
    double.world(|it| it.instance(&first.id.0).state = "terminated");
    let again = made(&ec2, 1).await;
    assert_eq!((again.id, again.state), (first.id, MachineState::Gone));
    assert_eq!(double.world(|it| it.living()), 0);
}

#[tokio::test]
async fn twenty_at_once_never_exceed_the_room_and_share_a_group() {
    let (double, ec2) = start().await;
    double.world(|it| it.room = 5);
    let orders: Vec<Order> = (0..20).map(an_order).collect();
    let results = join_all(orders.iter().map(|order| ec2.provision(order))).await;
    let full = results.iter().filter_map(|it| it.as_ref().err());
    let full: Vec<_> = full.map(|error| error.kind).collect();
    assert_eq!(full, [FailureKind::Full; 15]);
    assert_eq!(double.world(|it| (it.living(), it.groups.len())), (5, 1));
}
