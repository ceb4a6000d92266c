use std::fmt::Write as _;

use super::*;

/// What RunInstances may be refused with, and the HTTP status that comes with it.
const FAULTS: &[(&str, u16)] = &[
    ("InsufficientInstanceCapacity", 500),
    ("InstanceLimitExceeded", 400),
    ("VcpuLimitExceeded", 400),
    ("MaxSpotInstanceCountExceeded", 400),
    ("RequestLimitExceeded", 503),
    ("Throttling", 400),
    ("ServiceUnavailable", 503),
    ("InternalError", 500),
    ("InvalidAMIID.NotFound", 400),
    ("InvalidAMIID.Malformed", 400),
    ("InvalidKeyPair.NotFound", 400),
    ("InvalidSubnetID.NotFound", 400),
    ("InvalidParameterValue", 400),
    ("UnauthorizedOperation", 403),
    ("AuthFailure", 401),
    ("OptInRequired", 401),
    ("RequestExpired", 400),
];

#[tokio::test]
async fn every_refusal_says_what_it_means_and_what_to_do() {
    let (double, ec2) = start_with(ONCE).await;
    made(&ec2, 0).await;
    let mut said = String::new();
    for (n, (code, status)) in (1..).zip(FAULTS) {
        double.next("RunInstances", Fate::Fault(code, *status));
        let error = refused(&ec2, &an_order(n)).await;
        writeln!(said, "{error}\n  {:?}, left {:?}\n  {}", error.kind, error.left, error.remedy).expect("a text");
    }
    insta::assert_snapshot!("refusals", said);
    assert_eq!(double.world(|it| it.living()), 1);
}

#[tokio::test]
async fn a_refusal_names_the_group_that_was_made_for_it() {
    let (double, ec2) = start().await;
    double.world(|it| it.room = 0);
    let error = refused(&ec2, &an_order(1)).await;
    assert_eq!(error.kind, FailureKind::Full);
    let Left::These(left) = error.left else { panic!("{:?}", error.left) };
    ec2.remove(&left[0]).await.expect("a removal");
    assert_eq!(double.world(|it| it.groups.len()), 0);
}

#[tokio::test]
async fn an_image_that_is_not_there_is_refused_before_anything_is_made() {
    let (double, ec2) = start().await;
    let error = refused(&ec2, &order(1, "ami-nowhere")).await;
    assert_eq!((error.kind, error.left), (FailureKind::Refused, Left::Nothing));
    assert_eq!(double.asked("CreateSecurityGroup"), 0);
}

#[tokio::test]
async fn nobody_knows_what_an_earlier_request_left_while_nobody_can_look() {
    let (double, ec2) = start_with(ONCE).await;
    double.next("DescribeInstances", Fate::Fault("RequestLimitExceeded", 503));
    let error = refused(&ec2, &an_order(1)).await;
    assert_eq!((error.kind, error.left), (FailureKind::Passing, Left::Unknown));
}

#[tokio::test]
async fn what_ec2_could_not_take_is_refused_here() {
    let (double, ec2) = start().await;
    let mut long = an_order(1);
    long.seed.user_data = "x".repeat(16_385);
    let mut local = an_order(2);
    local.template.ec2 = None;
    let said = [refused(&ec2, &long).await, refused(&ec2, &local).await];
    let said = said.map(|error| format!("{error}\n  {:?}, left {:?}\n  {}", error.kind, error.left, error.remedy));
    insta::assert_snapshot!("ours", said.join("\n"));
    assert_eq!(double.asked("RunInstances"), 0);
}

#[tokio::test]
async fn a_cloud_that_is_away_is_a_passing_failure() {
    let away = provider(cluster("ursa"), cloud("http://127.0.0.1:1"), ONCE).await;
    let error = away.machines().await.expect_err("nobody is there");
    assert_eq!(error.kind, FailureKind::Passing);
    insta::assert_snapshot!("away", error);
}
