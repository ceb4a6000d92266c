//! One HTTP/1.1 connection over TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::ApiError;
use crate::wire::MAX_ANSWER;

/// From SYN to the end of the TLS handshake.
const OPEN_DEADLINE: Duration = Duration::from_secs(5);

/// A connection that can take one request after another.
pub(super) struct Connection {
    endpoint: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// Status, the `Date` header when there was one, and the body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) date: Option<String>,
    pub(super) body: Bytes,
}

impl Connection {
    /// Connects and shakes hands.
    pub(super) async fn open(endpoint: SocketAddr, tls: Arc<ClientConfig>) -> Result<Self, ApiError> {
        timeout(OPEN_DEADLINE, Self::open_unbounded(endpoint, tls))
            .await
            .unwrap_or(Err(ApiError::NoAnswer { endpoint, waited: OPEN_DEADLINE }))
    }

    async fn open_unbounded(endpoint: SocketAddr, tls: Arc<ClientConfig>) -> Result<Self, ApiError> {
        let tcp = TcpStream::connect(endpoint).await.map_err(|source| ApiError::Connect { endpoint, source })?;
        // A small request is one segment; Nagle would make it wait for the one before.
        let _ = tcp.set_nodelay(true);
        let stream = TlsConnector::from(tls)
            .connect(ServerName::from(endpoint.ip()), tcp)
            .await
            .map_err(|e| ApiError::from_stream(endpoint, &e))?;
        let (sender, driver) =
            handshake(TokioIo::new(stream)).await.map_err(|e| ApiError::from_stream(endpoint, &e))?;
        // It ends with the connection; its error, if any, reaches the request that is under way.
        tokio::spawn(driver);
        Ok(Self { endpoint, sender })
    }

    /// Where it leads.
    pub(super) fn endpoint(&self) -> SocketAddr {
        self.endpoint
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Answer, ApiError> {
        let endpoint = self.endpoint;
        let exchange = async {
            self.sender.ready().await.map_err(|e| ApiError::from_stream(endpoint, &e))?;
            let response = self.sender.send_request(request).await.map_err(|e| ApiError::from_stream(endpoint, &e))?;
            read(endpoint, response).await
        };
        timeout(deadline, exchange).await.unwrap_or(Err(ApiError::NoAnswer { endpoint, waited: deadline }))
    }
}

async fn read(endpoint: SocketAddr, response: Response<Incoming>) -> Result<Answer, ApiError> {
    let status = response.status().as_u16();
    let date = response.headers().get("date").and_then(|d| d.to_str().ok()).map(str::to_owned);
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await
        .map_err(|e| ApiError::Broken { endpoint, seen: e.to_string() })?
        .to_bytes();
    Ok(Answer { status, date, body })
}
