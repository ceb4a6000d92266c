//! The requests of the join API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{Answer, Connection};
use super::verify::FrontEndVerifier;
use super::{ApiError, Distrust, Trust};
use crate::wire::{
    Admission, Bundle, FabricOrder, FabricReport, HostLoad, Identity, JoinRequest, Orders, RejoinRequest, RenewRequest,
    StageNews, TakenBack,
};

/// How long the front-end may take to answer an ordinary request.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to let us in: a hundred may ask at the same moment, and who is sent away comes again.
const ADMISSION_DEADLINE: Duration = Duration::from_secs(50);

/// How long an endpoint is tried before the next one is tried beside it: a round trip across an ocean.
const HEAD_START: Duration = Duration::from_millis(250);
/// Longer than any attempt takes by itself.
const FOREVER: Duration = Duration::from_mins(10);

/// How long we wait for orders: what the front-end promises (30 s) and some more.
pub const ORDERS_WAIT: Duration = Duration::from_secs(40);

/// Speaks to the front-end. Requests go one after another over one connection, which is made again when it broke: each
/// may be repeated.
pub struct Client {
    endpoints: Vec<SocketAddr>,
    tls: Arc<ClientConfig>,
    verifier: Arc<FrontEndVerifier>,
    open: Mutex<Option<Connection>>,
}

/// A front-end that was reached and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where it answered.
    pub endpoint: SocketAddr,
}

impl Client {
    /// A stranger's client: no certificate, the server known by its authority's pin.
    pub fn with_pin(endpoint: SocketAddr, pin: [u8; 32]) -> Self {
        Self::new(vec![endpoint], Trust::Pin(pin), None).expect("no certificate that could be wrong")
    }

    /// A member's client. `key_pem` is PKCS#8.
    pub fn with_identity(identity: &Identity, key_pem: &str) -> Result<Self, ApiError> {
        Self::with_identity_at(identity, key_pem, None)
    }

    /// A member's client that tries first where the front-end has answered before.
    pub fn with_identity_at(identity: &Identity, key_pem: &str, first: Option<SocketAddr>) -> Result<Self, ApiError> {
        let wrong = |what: &str| ApiError::Identity(format!("{what} can't be read"));
        let mut endpoints: Vec<SocketAddr> =
            identity.api.iter().map(|a| a.parse().map_err(|_| wrong("an API address"))).collect::<Result<_, _>>()?;
        endpoints.sort_by_key(|endpoint| first.is_some_and(|first| first != *endpoint));
        let chain = certificates(&identity.certificate_pem).ok_or_else(|| wrong("the certificate"))?;
        let trust = certificates(&identity.trust_pem).ok_or_else(|| wrong("the authority"))?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| wrong("the private key"))?;
        Self::new(endpoints, Trust::Authorities(trust), Some((chain, key)))
    }

    fn new(
        endpoints: Vec<SocketAddr>,
        trust: Trust,
        own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Result<Self, ApiError> {
        let provider = Arc::new(default_provider());
        let verifier = FrontEndVerifier::new(trust, provider.signature_verification_algorithms);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows every default version")
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone());
        let tls = match own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|e| ApiError::Identity(e.to_string()))?
            }
        };
        Ok(Self { endpoints, tls: Arc::new(tls), verifier, open: Mutex::new(None) })
    }

    /// Connects and verifies, without a request.
    pub async fn contact(&self) -> Result<Contact, ApiError> {
        let connection = self.connect().await?;
        let endpoint = connection.endpoint();
        *self.open.lock().await = Some(connection);
        Ok(Contact { endpoint })
    }

    /// The authority that the pin led to; `None` before [`Self::contact`], or when this client knows its authorities.
    pub fn pinned_authority(&self) -> Option<CertificateDer<'static>> {
        self.verifier.authority()
    }

    /// Where the front-end has answered over the connection that is open.
    pub async fn endpoint(&self) -> Option<SocketAddr> {
        self.open.lock().await.as_ref().map(Connection::endpoint)
    }

    /// What the front-end's clock says (its `Date` header), asked when a certificate's dates made us refuse it: the
    /// handshake is made once more as of the moment `valid_at` (seconds since 1970), everything else still verified,
    /// and nothing of ours is sent.
    pub async fn front_end_clock(&self, distrust: &Distrust) -> Option<String> {
        let valid_at = match distrust {
            Distrust::NotYetValid { from, .. } => from + 1,
            Distrust::Expired { until, .. } => until - 1,
            Distrust::OtherAuthority | Distrust::NoServer => return None,
        };
        let mut tls = (*self.tls).clone();
        tls.time_provider = Arc::new(StoppedClock(valid_at));
        let mut connection = Connection::open(*self.endpoints.first()?, Arc::new(tls)).await.ok()?;
        let request = request(&Method::GET, "/", Bytes::new(), connection.endpoint());
        connection.exchange(request, ANSWER_DEADLINE).await.ok()?.date
    }

    /// `POST /v1/join`.
    pub async fn join(&self, body: &JoinRequest) -> Result<Admission, ApiError> {
        self.post("/v1/join", body, ADMISSION_DEADLINE).await
    }

    /// `POST /v1/rejoin`.
    pub async fn rejoin(&self, body: &RejoinRequest) -> Result<Bundle, ApiError> {
        self.post("/v1/rejoin", body, ADMISSION_DEADLINE).await
    }

    /// `POST /v1/renew`.
    pub async fn renew(&self, body: &RenewRequest) -> Result<Identity, ApiError> {
        self.post("/v1/renew", body, ANSWER_DEADLINE).await
    }

    /// `POST /v1/stages`.
    pub async fn stages(&self, body: &StageNews) -> Result<(), ApiError> {
        self.send(Method::POST, "/v1/stages", body, ANSWER_DEADLINE).await.map(drop)
    }

    /// `POST /v1/left`.
    pub async fn left(&self) -> Result<(), ApiError> {
        self.send(Method::POST, "/v1/left", &(), ANSWER_DEADLINE).await.map(drop)
    }

    /// `POST /v1/taken-back`.
    pub async fn taken_back(&self, body: &TakenBack) -> Result<(), ApiError> {
        self.send(Method::POST, "/v1/taken-back", body, ANSWER_DEADLINE).await.map(drop)
    }

    /// `GET /v1/orders`: waits until there is something after `after`.
    pub async fn orders(&self, after: u64) -> Result<Orders, ApiError> {
        self.get(&format!("/v1/orders?after={after}")).await
    }

    /// `GET /v1/fabric`: waits until there is something after `after`.
    pub async fn fabric(&self, after: u64) -> Result<FabricOrder, ApiError> {
        self.get(&format!("/v1/fabric?after={after}")).await
    }

    /// `POST /v1/fabric`.
    pub async fn fabric_report(&self, body: &FabricReport) -> Result<(), ApiError> {
        self.send(Method::POST, "/v1/fabric", body, ANSWER_DEADLINE).await.map(drop)
    }

    /// `POST /v1/load`.
    pub async fn load(&self, body: &HostLoad) -> Result<(), ApiError> {
        self.send(Method::POST, "/v1/load", body, ANSWER_DEADLINE).await.map(drop)
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ApiError> {
        let (endpoint, answer) = self.exchange(Method::GET, path, Bytes::new(), ORDERS_WAIT).await?;
        parse(endpoint, &answer)
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        deadline: Duration,
    ) -> Result<A, ApiError> {
        let (endpoint, answer) = self.send(Method::POST, path, body, deadline).await?;
        parse(endpoint, &answer)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        deadline: Duration,
    ) -> Result<(SocketAddr, Answer), ApiError> {
        let body = serde_json::to_vec(body).expect("a body of ours is JSON");
        self.exchange(method, path, body.into(), deadline).await
    }

    /// One request over the open connection; when that one turns out broken, once more over a new one.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        deadline: Duration,
    ) -> Result<(SocketAddr, Answer), ApiError> {
        let mut open = self.open.lock().await;
        if let Some(mut connection) = open.take() {
            let endpoint = connection.endpoint();
            let request = request(&method, path, body.clone(), endpoint);
            match connection.exchange(request, deadline).await {
                Ok(answer) => {
                    *open = Some(connection);
                    return accept(endpoint, answer);
                }
                Err(ApiError::Broken { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        let mut connection = self.connect().await?;
        let endpoint = connection.endpoint();
        let answer = connection.exchange(request(&method, path, body, endpoint), deadline).await?;
        *open = Some(connection);
        accept(endpoint, answer)
    }

    /// The best endpoint that answers: each gets a head start before the next is tried beside it. When none does, the first
    /// error, but rather one of an address that there is a way to.
    async fn connect(&self) -> Result<Connection, ApiError> {
        let mut attempts = JoinSet::new();
        let mut waiting = self.endpoints.iter();
        let mut first = None;
        loop {
            if let Some(endpoint) = waiting.next() {
                attempts.spawn(Connection::open(*endpoint, self.tls.clone()));
            }
            let patience = if waiting.len() > 0 { HEAD_START } else { FOREVER };
            match timeout(patience, attempts.join_next()).await {
                Ok(Some(Ok(Ok(connection)))) => return Ok(connection),
                Ok(Some(Ok(Err(error)))) if error.is_passing() => {
                    // An address without a way to it tells less than any other trouble.
                    first = first.filter(|first: &ApiError| !first.is_no_way()).or(Some(error));
                }
                Ok(Some(Ok(Err(error)))) => return Err(error),
                Ok(None) => break,
                // A head start is over, or an attempt has panicked, which its own message tells.
                Err(_) | Ok(Some(Err(_))) => {}
            }
        }
        Err(first.unwrap_or_else(|| ApiError::Identity("it names no API address".into())))
    }
}

fn request(method: &Method, path: &str, body: Bytes, endpoint: SocketAddr) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", endpoint.to_string())
        .header("content-type", "application/json")
        .body(Full::new(body))
        .expect("paths of ours are URIs")
}

fn accept(endpoint: SocketAddr, answer: Answer) -> Result<(SocketAddr, Answer), ApiError> {
    match answer.status {
        200..=299 => Ok((endpoint, answer)),
        status => Err(match serde_json::from_slice(&answer.body) {
            Ok(refusal) => ApiError::Refused(refusal),
            Err(_) => ApiError::Broken { endpoint, seen: format!("status {status} without a reason") },
        }),
    }
}

fn parse<A: DeserializeOwned>(endpoint: SocketAddr, answer: &Answer) -> Result<A, ApiError> {
    serde_json::from_slice(&answer.body).map_err(|e| ApiError::Broken { endpoint, seen: e.to_string() })
}

fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// A clock that stands still, to look at a certificate as of a moment of its life.
#[derive(Debug)]
struct StoppedClock(u64);

impl TimeProvider for StoppedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0)))
    }
}
