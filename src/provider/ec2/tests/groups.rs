use super::*;
use crate::template::Authorized;

fn with_ports(n: i64, ports: &[u16]) -> Order {
    let mut order = an_order(n);
    let wish = order.template.ec2.as_mut().expect("an EC2 part");
    wish.authorized_ports = ports.iter().map(|&port| Authorized { from: port, to: port }).collect();
    order
}

#[tokio::test]
async fn instances_with_the_same_ports_share_a_group_and_others_have_their_own() {
    let (double, ec2) = start().await;
    for (n, ports) in [(1, vec![22, 80]), (2, vec![80, 22]), (3, vec![])] {
        ec2.provision(&with_ports(n, &ports)).await.expect("an instance");
    }
    let groups = double.world(|it| it.groups.iter().map(|it| (it.name.clone(), it.ports())).collect::<Vec<_>>());
    let both = ("landbridge-ursa-ec2-22,80".to_owned(), vec![(22, 22), (80, 80)]);
    assert_eq!(groups, [both, ("landbridge-ursa-ec2-none".to_owned(), vec![])]);
}

#[tokio::test]
async fn a_port_that_nobody_named_is_closed_again() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.world(|it| it.groups[0].rules = [(3306, 3306, "0.0.0.0/0".to_owned())].into());
    made(&ec2, 2).await;
    assert_eq!(double.world(|it| it.groups[0].ports()), [(22, 22)]);
}

#[tokio::test]
async fn whom_a_person_let_in_beside_everybody_goes_and_everybody_stays() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    let before = double.world(|it| it.groups[0].rules.clone());
    double.world(|it| it.groups[0].rules.insert((22, 22, "10.0.0.0/8".to_owned())));
    made(&ec2, 2).await;
    assert_eq!(double.world(|it| it.groups[0].rules.clone()), before);
}

#[tokio::test]
async fn a_group_that_cannot_be_deleted_keeps_no_instance_alive() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.world(|it| it.instances[0].state = "terminated");
    double.next("DeleteSecurityGroup", Fate::Fault("UnauthorizedOperation", 403));
    ec2.destroy(&an_order(1).launch).await.expect("the end of the instance");
    assert_eq!(double.world(|it| it.groups.len()), 1);
}

#[tokio::test]
async fn a_group_goes_when_the_last_instance_that_held_it_has_ended() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    ec2.machines().await.expect("a list");
    ec2.destroy(&an_order(1).launch).await.expect("the end of the instance");
    let mut groups = vec![double.world(|it| it.groups.len())];
    while ec2.machines().await.expect("a list").iter().any(|it| it.state != MachineState::Gone) {
        groups.push(double.world(|it| it.groups.len()));
    }
    assert!(groups.iter().all(|left| *left == 1), "it was held: {groups:?}");
    assert_eq!(double.world(|it| it.groups.len()), 0);
    let asked = double.asked("DescribeSecurityGroups");
    ec2.machines().await.expect("a list");
    assert_eq!(double.asked("DescribeSecurityGroups"), asked, "nobody asks again and again");
}

#[tokio::test]
async fn a_group_that_is_shown_late_is_waited_for() {
    let (double, ec2) = start().await;
    double.world(|it| it.late = 3);
    made(&ec2, 1).await;
    assert_eq!(double.world(|it| (it.living(), it.groups.len())), (1, 1));
}

#[tokio::test]
async fn a_group_that_was_taken_away_meanwhile_is_made_again() {
    let (double, ec2) = start().await;
    double.next("RunInstances", Fate::Fault("InvalidGroup.NotFound", 400));
    made(&ec2, 1).await;
    assert_eq!(double.world(|it| it.living()), 1);
}

#[tokio::test]
async fn a_strangers_group_with_our_name_is_left_alone() {
    let (double, ec2) = start().await;
    made(&ec2, 1).await;
    double.world(|it| it.groups[0].tags.clear());
    let error = refused(&ec2, &an_order(2)).await;
    assert_eq!((error.kind, &error.left), (FailureKind::Refused, &Left::Nothing));
    insta::assert_snapshot!("a_strangers_group", format!("{error}\n{}", error.remedy));
    assert_eq!(double.world(|it| it.groups[0].ports()), [(22, 22)]);
}
