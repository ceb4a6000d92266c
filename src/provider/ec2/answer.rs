//! What EC2 answers when it doesn't do what it was asked: its own words, what they mean for us, and what a person can do.
//! Codes as in the API reference, "Error codes for the Amazon EC2 API". Pure.

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use crate::spec::Cloud;

/// No room: the region's, the zone's, or the account's.
const FULL: &[&str] = &[
    "InsufficientAddressCapacity",
    "InsufficientCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientVolumeCapacity",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
    "SpotMaxPriceTooLow",
    "UnfulfillableCapacity",
    "VcpuLimitExceeded",
    "VolumeLimitExceeded",
];

/// Asked too often, or EC2 has trouble of its own.
const PASSING: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "Unavailable",
];

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It will be refused again.
    Refused,
    /// There is no room.
    Full,
    /// Later it may work; EC2 didn't say that it was not done.
    Passing,
}

/// An answer that is an error, or none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    code: Option<String>,
    words: String,
    cause: Cause,
}

impl Answer {
    /// EC2's own answer.
    pub(super) fn of(code: Option<&str>, message: &str, status: u16) -> Self {
        let words = code.map_or_else(|| message.to_owned(), |code| format!("{message} ({code})"));
        Self { code: code.map(str::to_owned), words, cause: cause(code, status) }
    }

    /// Our own refusal of what EC2 would refuse, or can't be asked.
    pub(super) fn refused(words: impl Into<String>) -> Self {
        Self { code: None, words: words.into(), cause: Cause::Refused }
    }

    /// No readable answer.
    pub(super) fn none(words: String) -> Self {
        let cause = if lacks_credentials(&words) { Cause::Refused } else { Cause::Passing };
        let code = (cause == Cause::Refused).then(|| "CredentialsNotFound".to_owned());
        Self { code, words, cause }
    }

    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    pub(super) fn cause(&self) -> Cause {
        self.cause
    }

    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// What a person can do about it.
    pub(super) fn remedy(&self, cloud: &Cloud) -> String {
        let region = &cloud.region;
        let code = self.code.as_deref().unwrap_or_default();
        match (code, self.cause) {
            (
                "InstanceLimitExceeded" | "VcpuLimitExceeded" | "MaxSpotInstanceCountExceeded" | "VolumeLimitExceeded",
                _,
            ) => {
                format!("ask for a higher quota in {region}, or lower `workers` of this cloud in cluster.toml")
            }
            (_, Cause::Full) => {
                format!("try later, another instance type than {}, or another subnet", cloud.instance_type)
            }
            (_, Cause::Passing) => {
                "try again: a launch that EC2 has done already is found again, and nothing is made twice".to_owned()
            }
            ("CredentialsNotFound", _) => {
                "give the daemon credentials: in ~/.aws/credentials of root, or by a role of its machine".to_owned()
            }
            (
                "AuthFailure" | "InvalidClientTokenId" | "SignatureDoesNotMatch" | "RequestExpired" | "ExpiredToken",
                _,
            ) => "check the credentials and this machine's clock: a request is signed with both".to_owned(),
            ("UnauthorizedOperation", _) => "allow the credentials the EC2 actions that the README lists".to_owned(),
            ("IdempotentParameterMismatch", _) => {
                "boot the worker again: the next attempt has a token of its own".to_owned()
            }
            ("InvalidGroup.Duplicate", _) => {
                "a security group with this name is there and isn't ours: give it another name, or delete it".to_owned()
            }
            ("OptInRequired" | "PendingVerification" | "Blocked", _) => "settle it with the cloud's support".to_owned(),
            ("VPCIdNotSpecified", _) => {
                format!(
                    "the account has no default network in {region}: name a `subnet` for this cloud in cluster.toml"
                )
            }
            (code, _) if code.starts_with("InvalidAMIID") => {
                format!(
                    "name an image that exists in {region} as the template's AMI: an image's id is another in every region"
                )
            }
            (code, _) if code.starts_with("InvalidKeyPair") => {
                format!("import the key pair in {region}, or leave KEYPAIR out of the template: Landbridge needs none")
            }
            (code, _) if code.starts_with("InvalidSubnet") => {
                format!("name a `subnet` that exists in {region} for this cloud in cluster.toml")
            }
            _ => "correct what EC2 names and try again".to_owned(),
        }
    }
}

fn cause(code: Option<&str>, status: u16) -> Cause {
    match code {
        Some(code) if FULL.contains(&code) => Cause::Full,
        Some(code) if PASSING.contains(&code) => Cause::Passing,
        _ if status >= 500 => Cause::Passing,
        _ => Cause::Refused,
    }
}

/// The SDK has no type for "no credentials anywhere" that its callers could see.
fn lacks_credentials(words: &str) -> bool {
    ["no providers in chain provided credentials", "the credential provider was not enabled"]
        .iter()
        .any(|known| words.contains(known))
}

impl<E> From<SdkError<E, HttpResponse>> for Answer
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(service) => {
                let said = service.err();
                let message = said.message().unwrap_or("EC2 gave no reason");
                Self::of(said.code(), message, service.raw().status().as_u16())
            }
            SdkError::ConstructionFailure(_) => Self::refused(chain(&error)),
            _ => Self::none(chain(&error)),
        }
    }
}

/// The whole chain of causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let mut words: Vec<String> = Vec::new();
    for cause in causes {
        // Some say their cause's words themselves.
        if !words.iter().any(|known| known.contains(&cause)) {
            words.push(cause);
        }
    }
    words.join(": ")
}
