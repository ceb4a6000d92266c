//! EC2's instance metadata service, version 2: a session's token first, then the question.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The most of an answer that is read, in bytes: no user-data is larger.
pub const LIMIT: usize = 16_384;

/// The service is on the machine's own host: it answers at once or not at all.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);

/// Where every cloud that knows the service has it.
pub fn address() -> SocketAddr {
    (Ipv4Addr::new(169, 254, 169, 254), 80).into()
}

/// The instance's user-data; the error is in words.
pub async fn user_data(service: SocketAddr) -> Result<String, String> {
    let told = tell(service, "user-data").await?;
    told.ok_or_else(|| "it has no user-data for this machine".into())
}

/// When the cloud takes this machine back, if it has said so: the interruption notice of a spot instance.
pub async fn taken_back_at(service: SocketAddr) -> Result<Option<Timestamp>, String> {
    let Some(text) = tell(service, "meta-data/spot/instance-action").await? else { return Ok(None) };
    let notice: Notice =
        serde_json::from_str(&text).map_err(|error| format!("a notice that is none: {error}: {text}"))?;
    Ok(Some(notice.time))
}

/// `{"action": "terminate", "time": "2026-03-14T08:22:00Z"}`; the action may be `stop` or `hibernate` too, and the worker is gone
/// with each of them.
#[derive(Deserialize)]
struct Notice {
    time: Timestamp,
}

/// What stands at a place; `None` where nothing does.
async fn tell(service: SocketAddr, place: &str) -> Result<Option<String>, String> {
    let session = session(service).await?;
    let header = session.as_deref().map(|session| ("x-aws-ec2-metadata-token", session));
    match ask(service, Method::GET, &format!("/latest/{place}"), header).await? {
        (StatusCode::OK, body) => Ok(Some(String::from_utf8_lossy(&body).into_owned())),
        (StatusCode::NOT_FOUND, _) => Ok(None),
        (status, _) => Err(format!("it answered {status} when asked for {place}")),
    }
}

/// A session's token; `None` where the cloud has only the first version of the service, which knows no sessions.
async fn session(service: SocketAddr) -> Result<Option<String>, String> {
    let life = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
    match ask(service, Method::PUT, "/latest/api/token", Some(life)).await? {
        (StatusCode::OK, body) => Ok(Some(String::from_utf8_lossy(&body).trim().to_owned())),
        (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) => Ok(None),
        (status, _) => Err(format!("it answered {status} when asked for a session")),
    }
}

async fn ask(
    service: SocketAddr,
    method: Method,
    path: &str,
    header: Option<(&str, &str)>,
) -> Result<(StatusCode, Bytes), String> {
    let exchange = async {
        let stream = TcpStream::connect(service).await.map_err(|e| e.to_string())?;
        let (mut sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        let driver = tokio::spawn(driver);
        let request = Request::builder().method(method).uri(path).header("host", service.ip().to_string());
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Empty::<Bytes>::new()).map_err(|e| e.to_string())?;
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LIMIT).collect().await.map_err(|e| e.to_string())?;
        driver.abort();
        Ok((status, body.to_bytes()))
    };
    let late = || Err(format!("no answer within {} s", ANSWER_DEADLINE.as_secs()));
    timeout(ANSWER_DEADLINE, exchange).await.unwrap_or_else(|_| late())
}
