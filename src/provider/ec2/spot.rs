//! The spot market: which machines EC2 takes back, and when.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use aws_sdk_ec2::types::{Filter, SpotInstanceRequest};
use jiff::{SignedDuration, Timestamp};

use super::instances::Found;
use super::{Ec2, MachineState, ProviderError};

/// Between the notice and the end. From EC2's user guide, "Spot Instance interruption notices".
const NOTICE: SignedDuration = SignedDuration::from_mins(2);
/// A request's filters have no more values. From EC2's API reference, "FilterLimitExceeded".
const MOST_VALUES: usize = 200;

/// The moment at which EC2 takes the instance back, by its request's status. Codes as in the user guide, "Spot request status".
fn reclaimed_at(code: &str, updated: Timestamp) -> Option<Timestamp> {
    match code {
        "marked-for-termination" | "marked-for-stop" => Some(updated + NOTICE),
        "instance-terminated-by-price"
        | "instance-terminated-no-capacity"
        | "instance-terminated-capacity-oversubscribed"
        | "instance-terminated-launch-group-constraint"
        | "instance-terminated-by-service"
        | "instance-terminated-by-experiment"
        | "instance-stopped-by-price"
        | "instance-stopped-no-capacity" => Some(updated),
        _ => None,
    }
}

fn notice(request: &SpotInstanceRequest) -> Option<(String, Timestamp)> {
    let status = request.status()?;
    let updated = Timestamp::from_second(status.update_time()?.secs()).ok()?;
    Some((request.spot_instance_request_id()?.to_owned(), reclaimed_at(status.code()?, updated)?))
}

impl Ec2 {
    /// As [`Self::asked_notices`]; where the market doesn't answer nobody is told that the machines can't be listed: each hears its
    /// own notice from its metadata service, too.
    pub(super) async fn notices(&self, found: &[Found]) -> BTreeMap<String, Timestamp> {
        let asked = self.asked_notices(found).await;
        let was_told = self.market_is_silent.swap(asked.is_err(), Ordering::Relaxed);
        asked.unwrap_or_else(|error| {
            if !was_told {
                tracing::warn!(%error, "interruption notices come from the machines alone");
            }
            BTreeMap::new()
        })
    }

    /// By request's id: the moment at which EC2 takes its instance back. Nobody is asked when there is no spot instance.
    async fn asked_notices(&self, found: &[Found]) -> Result<BTreeMap<String, Timestamp>, ProviderError> {
        let living = found.iter().filter(|it| it.state() != MachineState::Gone);
        let ids: Vec<String> = living.filter_map(Found::spot_request).map(str::to_owned).collect();
        let mut notices = BTreeMap::new();
        // By a filter: asked by their ids, one that EC2 doesn't show yet would make it refuse them all.
        for some in ids.chunks(MOST_VALUES) {
            let wanted = Filter::builder().name("spot-instance-request-id").set_values(Some(some.to_vec())).build();
            let asked = self.client.describe_spot_instance_requests().filters(wanted);
            let answer = asked.send().await.map_err(|e| self.unanswered("asking the spot market", &self.host, e))?;
            notices.extend(answer.spot_instance_requests().iter().filter_map(notice));
        }
        Ok(notices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_two_minutes_ahead_and_an_end_is_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(reclaimed_at("marked-for-termination", now), Some(now + NOTICE));
        assert_eq!(reclaimed_at("instance-terminated-by-price", now), Some(now));
        for quiet in ["fulfilled", "instance-terminated-by-user", "request-canceled-and-instance-running"] {
            assert_eq!(reclaimed_at(quiet, now), None, "{quiet}");
        }
    }
}
