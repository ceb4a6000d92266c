//! The way to EC2: region, endpoint, credentials, deadlines, retries.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_ec2::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::spec::Cloud;

/// How long EC2 is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one answer.
    pub answer: Duration,
    /// How often a question is put, the first time included.
    pub attempts: u32,
    /// Before the second time, about; each further pause is twice as long.
    pub pause: Duration,
    /// For how long something that was just made may be missing in EC2's lists.
    pub settling: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(20),
            attempts: 4,
            pause: Duration::from_millis(500),
            settling: Duration::from_secs(10),
        }
    }
}

pub(super) async fn client(cloud: &Cloud, patience: Patience) -> Client {
    Client::new(&settings(cloud, patience).load().await)
}

/// All but the credentials.
pub(super) fn settings(cloud: &Cloud, patience: Patience) -> ConfigLoader {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let deadlines = TimeoutConfig::builder()
        .connect_timeout(patience.answer)
        .operation_attempt_timeout(patience.answer)
        .operation_timeout(patience.answer * (patience.attempts + 1))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(patience.attempts).with_initial_backoff(patience.pause);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(cloud.region.clone()))
        .http_client(Builder::new().tls_provider(tls).build_https())
        .retry_config(retries)
        .timeout_config(deadlines);
    match &cloud.endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    }
}
