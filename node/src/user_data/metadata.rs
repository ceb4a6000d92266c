//! EC2's instance metadata service, version 2: a session's token first, then the question.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::LIMIT;

/// The service is on the machine's own host: it answers at once or not at all.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);

/// The instance's user-data; the error is in words.
pub(super) async fn user_data(service: SocketAddr) -> Result<String, String> {
    let session = session(service).await?;
    let header = session.as_deref().map(|session| ("x-aws-ec2-metadata-token", session));
    match ask(service, Method::GET, "/latest/user-data", header).await? {
        (StatusCode::OK, body) => Ok(String::from_utf8_lossy(&body).into_owned()),
        (StatusCode::NOT_FOUND, _) => Err("it has no user-data for this machine".into()),
        (status, _) => Err(format!("it answered {status} when asked for the user-data")),
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
