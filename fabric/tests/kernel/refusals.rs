//! What the kernel refuses, in its own words; and that nothing is left of what was refused.

use std::error::Error;

use landbridge_fabric::{
    ApplyError, Backend, Feature, Kernel, Link, LinkSpec, NetworkJournal, Step, features, reconcile,
};

use crate::common::netns::{in_namespace, run, run_json};
use crate::common::*;
use crate::judge::judged;

/// Asks for a link that the kernel refuses, and returns what it says.
async fn refused(kernel: &mut Kernel, text: &str, spec: LinkSpec, mtu: u32) -> String {
    let before = judged();
    kernel.observe().await.unwrap();
    let link = Link { mtu, ..Link::desired(&owner(), &spec).unwrap() };
    let error = kernel.perform(&Step::Create { name: name(text), link }).await.unwrap_err();
    assert_eq!(judged(), before, "nothing is left of it");
    format!("{error}: {}", error.source().unwrap())
}

#[test]
fn refusals_are_told_in_the_kernels_own_words() {
    in_namespace(|| async {
        run("ip link add vx0 type vxlan id 77 dstport 4789");
        run("ip link add far0 type veth peer name veth0");
        let mut kernel = Kernel::open().unwrap();
        let refusals = [
            refused(&mut kernel, "lb0", vxlan(77, &[]), 1500).await,
            refused(&mut kernel, "lb0", vxlan(78, &[11]), 70_000).await,
            refused(&mut kernel, "lb0", bridge(), 70_000).await,
            refused(&mut kernel, "lb0", tap(), 70_000).await,
            refused(&mut kernel, "far0", bridge(), 1500).await,
            refused(&mut kernel, "far0", tap(), 1500).await,
            refused(&mut kernel, "lb0", tap().port_of("veth0"), 1500).await,
            refused(&mut kernel, "lb0", tap().port_of("gone"), 1500).await,
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    });
}

#[test]
fn probing_the_kernel_makes_no_link() {
    in_namespace(|| async {
        let mut kernel = Kernel::open().unwrap();
        let index = |text: &str| run_json(&format!("ip -j link show {text}"))[0]["ifindex"].as_u64().unwrap();
        run("ip link add before type bridge");
        let has = features(&mut kernel).await.unwrap();
        run("ip link add after type bridge");
        assert_eq!(index("after"), index("before") + 1, "the kernel counts every link that it makes");
        for feature in [Feature::Bridge, Feature::Vxlan, Feature::Tun] {
            assert!(has.contains(&feature), "these tests need {feature}");
        }
    });
}

#[test]
fn an_802_1q_uplink_is_made_or_refused_in_one_sentence_before_anything_is_changed() {
    in_namespace(|| async {
        run("ip link add eth1 type veth peer name far1");
        run("ip link set eth1 up");
        let mut kernel = Kernel::open().unwrap();
        let before = judged();
        let wanted = network([("lbbr-ursa", bridge()), ("lbvl-ursa", vlan(77, "eth1").port_of("lbbr-ursa"))]);
        let outcome = reconcile(&wanted, &mut kernel, &mut NetworkJournal::in_memory()).await;
        if features(&mut kernel).await.unwrap().contains(&Feature::Vlan) {
            assert!(outcome.is_ok(), "{outcome:?}");
            let data = &run_json("ip -j -d link show lbvl-ursa")[0]["linkinfo"]["info_data"];
            assert_eq!((&data["protocol"], &data["id"]), (&"802.1Q".into(), &77.into()));
            return;
        }
        let error = outcome.unwrap_err();
        assert!(matches!(error, ApplyError::Conflicts(_)));
        assert_eq!(
            error.to_string(),
            "this kernel has no 802.1Q VLANs (module 8021q), needed by lbvl-ursa; \
             load the module 8021q, or choose another uplink"
        );
        assert_eq!(judged(), before);
    });
}
