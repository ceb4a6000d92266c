//! HTTP on loopback. A connection is cut by failing its service.

use std::io;

use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::actions::{self, Outcome};
use super::{Fate, Form, Shared, xml};

/// The largest request in bytes: a URI's, which the form is read as.
const MOST: usize = 65_000;

type Answer = Response<Body>;

pub(super) async fn start(shared: Shared) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
    let endpoint = format!("http://{}", listener.local_addr().expect("a bound address"));
    (endpoint, tokio::spawn(accept(listener, shared)))
}

/// Connections end with the server: they are in its set.
async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(shared.clone(), request));
            // A cut connection is what the test wanted.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(shared: Shared, request: Request<Incoming>) -> io::Result<Answer> {
    let signed =
        request.headers().get("authorization").is_some_and(|it| it.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    let body = to_bytes(Body::new(request.into_body()), MOST).await.map_err(io::Error::other)?;
    let form = Form::parse(&body);
    if !signed {
        return Ok(response(Err(("AuthFailure", 401))));
    }
    let fate = record(&shared, &form);
    let perform = || actions::perform(&mut shared.state().world, &form);
    let cut = || Err(io::ErrorKind::ConnectionAborted.into());
    match fate {
        None => Ok(response(perform())),
        Some(Fate::Fault(code, status)) => Ok(response(Err((code, status)))),
        Some(Fate::Cut) => cut(),
        Some(Fate::Late(by)) => {
            let done = perform();
            tokio::time::sleep(by).await;
            Ok(response(done))
        }
        Some(Fate::Twice) => {
            let _ = perform();
            Ok(response(perform()))
        }
        Some(Fate::DoneAndCut) => {
            let _ = perform();
            cut()
        }
        Some(Fate::DoneAndSilent) => {
            let _ = perform();
            std::future::pending().await
        }
    }
}

/// Notes the request, and takes the fate that waits for it.
fn record(shared: &Shared, form: &Form) -> Option<Fate> {
    let mut state = shared.state();
    state.asked.push(form.clone());
    let waiting = state.fates.iter().position(|(action, _)| action == form.action())?;
    state.fates.remove(waiting).map(|(_, fate)| fate)
}

fn response(outcome: Outcome) -> Answer {
    let (status, text) = match outcome {
        Ok(text) => (200, text),
        Err((code, status)) => (status, xml::fault(code)),
    };
    Response::builder().status(status).body(Body::from(text)).expect("a response")
}
