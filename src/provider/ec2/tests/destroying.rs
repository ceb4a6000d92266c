use super::*;

#[tokio::test]
async fn destroying_ends_the_instance_and_its_volume_and_twice_is_once() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    ec2.destroy(&launch(1)).await.expect("an end");
    ec2.destroy(&launch(1)).await.expect("nothing to do");
    assert_eq!(double.asked("TerminateInstances"), 1);
    assert_eq!(double.world(|it| (it.living(), it.volumes.len(), it.groups.len())), (0, 0, 0));
}

#[tokio::test]
async fn the_group_stays_while_another_instance_is_in_it() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    made(&ec2, 2).await;
    ec2.destroy(&launch(1)).await.expect("an end");
    ec2.machines().await.expect("a list");
    ec2.destroy(&launch(1)).await.expect("nothing to do");
    assert_eq!(double.world(|it| (it.living(), it.groups.len())), (1, 1));
}

#[tokio::test]
async fn what_is_not_shown_yet_is_waited_for_and_ended() {
    let (double, ec2) = start_with(ONCE).await;
    double.world(|it| it.late = 2);
    double.next("RunInstances", Fate::DoneAndCut);
    // Twice: the first time its group isn't shown yet either.
    refused(&ec2, &an_order(1)).await;
    ec2.destroy(&launch(1)).await.expect("an end");
    ec2.machines().await.expect("a list");
    assert_eq!(double.world(|it| it.living()), 0);
}

#[tokio::test]
async fn what_is_shown_but_unknown_to_whoever_ends_it_is_ended_a_little_later() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.next("TerminateInstances", Fate::Fault("InvalidInstanceID.NotFound", 400));
    ec2.destroy(&launch(1)).await.expect("an end");
    ec2.machines().await.expect("a list");
    assert_eq!(double.world(|it| it.living()), 0);
}

#[tokio::test]
async fn destroying_nothing_is_success() {
    let (double, ec2) = start().await;
    ec2.destroy(&launch(1)).await.expect("nothing to do");
    assert_eq!(double.asked("TerminateInstances"), 0);
}

#[tokio::test]
async fn only_the_attempt_that_is_named_ends() {
    let (double, ec2) = start().await;
    let first = made(&ec2, 1).await;
    let mut second = an_order(1);
    second.launch.attempt = 2;
    let second = ec2.provision(&second).await.expect("an instance");
    ec2.destroy(&launch(1)).await.expect("an end");
    let states = [first, second].map(|machine| double.world(|it| it.instance(&machine.id.0).state));
    assert!(states[0] != "running" && states[1] == "running", "{states:?}");
}

#[tokio::test]
async fn another_clusters_instance_is_neither_shown_nor_ended() {
    let (double, ec2) = start().await;
    let lyra = provider(cluster("lyra"), cloud(double.endpoint()), SHORT).await;
    let mut order = an_order(1);
    order.launch.cluster = cluster("lyra");
    lyra.provision(&order).await.expect("an instance");
    assert_eq!(ec2.machines().await.expect("a list"), []);
    ec2.destroy(&launch(1)).await.expect("nothing to do");
    assert_eq!(double.world(|it| (it.living(), it.groups.len())), (1, 1));
}

#[tokio::test]
async fn an_end_that_nobody_answered_is_unknown_and_can_be_asked_for_again() {
    let (double, ec2) = start_with(ONCE).await;
    made(&ec2, 1).await;
    double.next("TerminateInstances", Fate::Cut);
    let error = ec2.destroy(&launch(1)).await.expect_err("no answer");
    assert_eq!((error.kind, error.left), (FailureKind::Passing, Left::Unknown));
    ec2.destroy(&launch(1)).await.expect("an end");
    ec2.machines().await.expect("a list");
    assert_eq!(double.world(|it| it.living()), 0);
}

#[tokio::test]
async fn the_last_ones_group_is_a_leftover_until_it_is_removed() {
    let (double, ec2) = start().await;
    let machine = made(&ec2, 1).await;
    assert_eq!(ec2.leftovers().await.expect("a list"), [], "what is needed is no leftover");
    double.world(|it| it.instance(&machine.id.0).state = "terminated");
    ec2.machines().await.expect("a list"); // its volume goes with it
    let left = ec2.leftovers().await.expect("a list");
    assert_eq!(left.iter().map(|it| it.kind).collect::<Vec<_>>(), [LeftoverKind::SecurityGroup]);
    for leftover in &left {
        ec2.remove(leftover).await.expect("a removal");
        ec2.remove(leftover).await.expect("nothing to do");
    }
    assert_eq!(double.world(|it| it.groups.len()), 0);
}

#[tokio::test]
async fn a_volume_that_outlived_its_instance_is_found_and_removed_and_a_strangers_is_not() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.world(|it| {
        it.volumes[0].instance = None;
        it.add_volume("vol-stranger");
    });
    let left = ec2.leftovers().await.expect("a list");
    let [volume] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!((volume.kind, volume.worker_id), (LeftoverKind::Volume, Some(1)));
    ec2.remove(volume).await.expect("a removal");
    ec2.remove(volume).await.expect("nothing to do");
    let mut stranger = volume.clone();
    stranger.id = "vol-stranger".into();
    ec2.remove(&stranger).await.expect("nothing of ours");
    assert_eq!(double.world(|it| it.volumes.iter().map(|v| v.id.clone()).collect::<Vec<_>>()), ["vol-stranger"]);
}
