//! How a join starts: what is known already, and what has to be told.

use std::net::SocketAddrV4;
use std::time::Duration;

use ipnetwork::Ipv4Network;
use landbridge_fabric::InterfaceName;

use super::nis;
use crate::nic::{self, NicError};
use crate::state::{Attachment, Member, State, StateError};
use crate::wire::{Bundle, Token, Via};

/// What a person asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The way to the vLAN; without it the token says (one with an address is for a bridge).
    pub via: Option<Via>,
    /// The NIC on the bridge; without it the only one without an address.
    pub nic: Option<InterfaceName>,
    /// For the first join.
    pub token: Option<Token>,
    /// For all stages together.
    pub limit: Duration,
}

/// Where a join starts from.
#[derive(Debug)]
pub enum Start {
    /// With a token.
    New {
        /// The token.
        token: Token,
        /// How the machine will be attached.
        attachment: Attachment,
    },
    /// With the identity of an earlier join.
    Known {
        /// Who the machine is.
        member: Box<Member>,
        /// What the front-end told it last.
        bundle: Box<Bundle>,
        /// How it is attached.
        attachment: Attachment,
    },
}

/// Why a join can't start. Nothing has been changed, and the front-end was not asked.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Neither an identity nor a token.
    #[error("this machine has no identity yet: give it a token (landbridge token create, on the front-end)")]
    NoToken,
    /// The token is for a tunnel.
    #[error(
        "the token is for a tunnel: it has no address for a NIC on a bridge; \
         join with --via tunnel, or make one on the front-end with landbridge token create --via bridge"
    )]
    NoAddress,
    /// The token is for a bridge.
    #[error(
        "the token is for a NIC on a bridge (it brings that NIC's address); \
         join with --via bridge, or make one on the front-end with landbridge token create --via tunnel"
    )]
    ForBridge,
    /// No NIC to choose.
    #[error("{0}; say which one is on the vLAN's bridge: --dev NIC")]
    Nic(#[from] NicError),
    /// `--dev` names no link.
    #[error("this machine has no link {0}; ip link shows what it has")]
    NoSuchNic(InterfaceName),
    /// The machine's memory.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Start {
    /// Looks at what the machine remembers, then at what was asked for.
    pub async fn new(state: &State, options: &Options) -> Result<Self, PlanError> {
        if let (Some(member), Some(bundle), Some(attachment)) = (state.member()?, state.bundle()?, state.attachment()?)
        {
            return Ok(Self::Known { member: Box::new(member), bundle: Box::new(bundle), attachment });
        }
        let token = options.token.clone().ok_or(PlanError::NoToken)?;
        let via = options.via.unwrap_or(if token.address.is_some() { Via::Bridge } else { Via::Tunnel });
        let nic = match via {
            Via::Tunnel if token.address.is_some() => return Err(PlanError::ForBridge),
            Via::Tunnel => None,
            Via::Bridge => Some(choose_nic(options.nic.as_ref(), token.address)?),
        };
        let attachment = Attachment { via, nic, foreign_rpcbind: nis::has_foreign_rpcbind().await };
        state.keep_attachment(&attachment)?;
        Ok(Self::New { token, attachment })
    }

    /// How the machine is attached.
    pub fn attachment(&self) -> &Attachment {
        match self {
            Self::New { attachment, .. } | Self::Known { attachment, .. } => attachment,
        }
    }

    /// Where the front-end is, for a remark.
    pub fn endpoint(&self) -> Option<SocketAddrV4> {
        match self {
            Self::New { token, .. } => Some(token.endpoint),
            Self::Known { .. } => None,
        }
    }

    /// The address that a NIC on a bridge must have before anybody can be reached.
    pub fn address(&self) -> Option<Ipv4Network> {
        match self {
            Self::New { token, .. } => token.address,
            Self::Known { bundle, .. } => Some(bundle.address),
        }
    }
}

fn choose_nic(asked: Option<&InterfaceName>, address: Option<Ipv4Network>) -> Result<InterfaceName, PlanError> {
    let address = address.ok_or(PlanError::NoAddress)?;
    match asked {
        Some(nic) if nic::mtu(nic).is_none() => Err(PlanError::NoSuchNic(nic.clone())),
        Some(nic) => Ok(nic.clone()),
        None => Ok(nic::choose(&nic::ethernet(), address.ip())?),
    }
}
