//! The request for an instance, as a value. Pure.

use aws_sdk_ec2::operation::run_instances::RunInstancesInput;
use aws_sdk_ec2::types::{
    HttpTokensState, InstanceInterruptionBehavior, InstanceMarketOptionsRequest, InstanceMetadataEndpointState,
    InstanceMetadataOptionsRequest, InstanceType, MarketType, ResourceType, ShutdownBehavior, SpotInstanceType,
    SpotMarketOptions,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landbridge_pki::NodeName;

use super::Order;
use super::images::Image;
use super::tags;
use crate::spec::Cloud;
use crate::template::Ec2 as Wish;

/// What an instance is made of.
pub(super) struct Parts<'a> {
    pub(super) order: &'a Order,
    pub(super) wish: &'a Wish,
    pub(super) cloud: &'a Cloud,
    pub(super) host: &'a NodeName,
    pub(super) image: &'a Image,
    pub(super) group: &'a str,
}

impl Parts<'_> {
    fn is_spot(&self) -> bool {
        self.wish.spot || self.cloud.spot
    }

    /// The request: one instance, or none.
    pub(super) fn request(&self) -> RunInstancesInput {
        let tags = tags::of_launch(&self.order.launch, self.host);
        let mut tagged = vec![ResourceType::Instance, ResourceType::Volume];
        tagged.extend(self.is_spot().then_some(ResourceType::SpotInstancesRequest));
        let instance_type = self.wish.instance_type.as_ref().unwrap_or(&self.cloud.instance_type);
        RunInstancesInput::builder()
            .client_token(tags::client_token(&self.order.launch, self.host))
            .min_count(1)
            .max_count(1)
            .image_id(&self.wish.ami)
            .instance_type(InstanceType::from(instance_type.as_str()))
            .set_key_name(self.wish.key_pair.clone())
            .security_group_ids(self.group)
            .set_subnet_id(self.cloud.subnet.clone())
            .user_data(STANDARD.encode(&self.order.seed.user_data))
            .set_block_device_mappings(Some(self.image.encrypted()))
            .metadata_options(metadata())
            .instance_initiated_shutdown_behavior(ShutdownBehavior::Terminate)
            .set_instance_market_options(self.is_spot().then(spot))
            .set_tag_specifications(Some(tagged.into_iter().map(|kind| tags::from_the_start(kind, &tags)).collect()))
            .build()
            .expect("the builder of a request without required parts refuses nothing")
    }
}

/// User-data is for the machine itself: a token by PUT, and one hop, so that nothing that the machine forwards for reaches it.
fn metadata() -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_endpoint(InstanceMetadataEndpointState::Enabled)
        .http_tokens(HttpTokensState::Required)
        .http_put_response_hop_limit(1)
        .build()
}

/// Once only: an interrupted instance ends, and Landbridge decides what comes instead.
fn spot() -> InstanceMarketOptionsRequest {
    let options = SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
        .build();
    InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(options).build()
}
