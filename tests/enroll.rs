//! The join API's door: whoever is malformed, oversized, slow or a stranger gets a clear refusal and disturbs nobody else.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use jiff::Timestamp;
use landbridge::enroll::{Gate, Limits, Peer, TlsIdentity, serve, server_config};
use landbridge_node::wire::{
    Admission, Bundle, FabricOrder, FabricReport, HostLoad, Identity, JoinRequest, MAX_BODY, Orders, Refusal,
    RefusalCode, RejoinRequest, RenewRequest, StageNews, Standing, TakenBack,
};
use landbridge_pki::authority::CertificateSpec;
use landbridge_pki::{Authority, KeyPair, NodeName, Role};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A gate that knows nobody but lets members ask for orders.
struct Stub;

/// Larger than any body of JSON may be.
const PROGRAM: &[u8] = &[b'x'; 2 * MAX_BODY];

fn refused<T>() -> Result<T, Refusal> {
    Err(Refusal { code: RefusalCode::UnknownToken, message: "no such token".into(), remedy: "make one".into() })
}

impl Gate for Stub {
    fn distrusted(&self, _: IpAddr) {}

    fn node(&self) -> Result<Bytes, Refusal> {
        Ok(Bytes::from_static(PROGRAM))
    }
    async fn join(&self, _: JoinRequest) -> Result<Admission, Refusal> {
        refused()
    }
    async fn rejoin(&self, _: Peer, _: RejoinRequest) -> Result<Bundle, Refusal> {
        refused()
    }
    async fn renew(&self, _: Peer, _: RenewRequest) -> Result<Identity, Refusal> {
        refused()
    }
    async fn stages(&self, _: Peer, _: StageNews) -> Result<(), Refusal> {
        Ok(())
    }
    async fn taken_back(&self, _: Peer, _: TakenBack) -> Result<(), Refusal> {
        Ok(())
    }
    async fn orders(&self, _: Peer, after: u64) -> Result<Orders, Refusal> {
        Ok(Orders {
            generation: after + 1,
            standing: Standing::Stay,
            bundle: None,
            canary: None,
            renew: false,
            trust_pem: None,
        })
    }
    async fn left(&self, _: Peer) -> Result<(), Refusal> {
        Ok(())
    }
    async fn fabric(&self, _: Peer, _: u64) -> Result<FabricOrder, Refusal> {
        refused()
    }
    async fn fabric_report(&self, _: Peer, _: FabricReport) -> Result<(), Refusal> {
        Ok(())
    }

    async fn load(&self, _: Peer, _: HostLoad) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A door on loopback, and the authority behind it.
struct Door {
    address: SocketAddr,
    authority: Authority,
    _dir: tempfile::TempDir,
    _stop: DropGuard,
}

impl Door {
    async fn open(limits: Limits) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let passphrase = "a passphrase for a test".to_owned().into();
        let mut authority = Authority::create(&dir.path().join("pki"), "ursa", &passphrase, Timestamp::now()).unwrap();
        let (certificate, key) = issue(&mut authority, "frontend", Role::FrontEnd);
        let identity = TlsIdentity {
            chain_pem: authority.register().server_chain_pem(&certificate).unwrap(),
            key_pem: key.into(),
            trust_pem: authority.register().trust_pem(),
        };
        let (_, tls) = watch::channel(Arc::new(server_config(&identity).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, tls, Arc::new(Stub), limits, stop.clone()));
        Self { address, authority, _dir: dir, _stop: stop.drop_guard() }
    }

    fn member(&mut self, name: &str, role: Role) -> (String, String) {
        issue(&mut self.authority, name, role)
    }

    async fn connect(&self, as_member: Option<&(String, String)>) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.register().trust_pem().as_bytes()).unwrap()).unwrap();
        let config = rustls::ClientConfig::builder().with_root_certificates(roots);
        let config = match as_member {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => config
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("frontend").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    async fn ask(&self, member: Option<&(String, String)>, request: &str) -> (String, String) {
        let mut stream = self.connect(member).await;
        // A refusal may close the connection before everything was sent.
        let _ = stream.write_all(request.as_bytes()).await;
        answer(&mut stream).await
    }
}

fn issue(authority: &mut Authority, name: &str, role: Role) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let spec = CertificateSpec::new(NodeName::new(name).unwrap(), role);
    let issued = authority.issue(&key.csr_pem().unwrap(), &spec, Timestamp::now()).unwrap();
    (issued.pem, key.to_pem().expose_secret().to_owned())
}

/// Status line and body.
async fn answer(stream: &mut TlsStream<TcpStream>) -> (String, String) {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

fn code(body: &str) -> RefusalCode {
    serde_json::from_str::<Refusal>(body).unwrap_or_else(|e| panic!("no refusal ({e}): {body:?}")).code
}

#[tokio::test]
async fn a_malformed_request_is_told_what_is_wrong_but_not_what_it_said() {
    let door = Door::open(Limits::default()).await;
    for bad in ["", "hello", "[]", "{\"secret\": 7}", "{\"secret\": \"SECRET\", \"role\": \"worker\"}"] {
        let (status, body) = door.ask(None, &post("/v1/join", bad)).await;
        assert_eq!((status.as_str(), code(&body)), ("HTTP/1.1 400 Bad Request", RefusalCode::Malformed), "{bad:?}");
        assert!(!body.contains("SECRET"), "{body}");
    }
}

#[tokio::test]
async fn an_oversized_body_is_refused_without_being_read() {
    let door = Door::open(Limits::default()).await;
    let (status, body) = door.ask(None, &post("/v1/join", &"x".repeat(MAX_BODY + 1))).await;
    assert_eq!((status.as_str(), code(&body)), ("HTTP/1.1 413 Payload Too Large", RefusalCode::TooLarge));
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_at_the_limit() {
    let door = Door::open(Limits::default()).await;
    let mut stream = door.connect(None).await;
    stream.write_all(b"POST /v1/join HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut sent = 0;
    while sent < 100 * MAX_BODY && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 100 * MAX_BODY, "the door read {sent} bytes of an endless body");
}

#[tokio::test]
async fn endless_headers_are_refused() {
    let door = Door::open(Limits::default()).await;
    let request = format!("GET /v1/orders HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(200_000));
    let (status, _) = door.ask(None, &request).await;
    assert!(status.starts_with("HTTP/1.1 431") || status.is_empty(), "{status}");
}

#[tokio::test]
async fn a_stranger_learns_only_that_it_is_one() {
    let door = Door::open(Limits::default()).await;
    for request in
        [get("/v1/orders?after=0"), post("/v1/rejoin", "{}"), post("/v1/left", ""), get("/v1/fabric?after=0")]
    {
        let (status, body) = door.ask(None, &request).await;
        assert_eq!((status.as_str(), code(&body)), ("HTTP/1.1 401 Unauthorized", RefusalCode::Stranger), "{request}");
    }
}

#[tokio::test]
async fn a_stranger_is_given_the_program_and_a_member_too() {
    let mut door = Door::open(Limits::default()).await;
    let worker = door.member("w1", Role::Worker);
    for caller in [None, Some(&worker)] {
        let (status, body) = door.ask(caller, &get("/v1/node")).await;
        assert_eq!((status.as_str(), body.len()), ("HTTP/1.1 200 OK", PROGRAM.len()));
    }
    let (status, _) = door.ask(None, &post("/v1/node", "")).await;
    assert!(status.starts_with("HTTP/1.1 405"), "{status}");
}

#[tokio::test]
async fn a_host_is_no_worker() {
    let mut door = Door::open(Limits::default()).await;
    let host = door.member("ursa01", Role::Host);
    let (_, body) = door.ask(Some(&host), &get("/v1/orders?after=0")).await;
    assert_eq!(code(&body), RefusalCode::Stranger);
    let worker = door.member("w1", Role::Worker);
    let (status, _) = door.ask(Some(&worker), &get("/v1/orders?after=0")).await;
    assert_eq!(status, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_certificate_of_another_cluster_does_not_pass_the_handshake() {
    let door = Door::open(Limits::default()).await;
    let mut other = Door::open(Limits::default()).await;
    let alien = other.member("w1", Role::Worker);
    let mut stream = door.connect(Some(&alien)).await;
    let _ = stream.write_all(get("/v1/orders?after=0").as_bytes()).await;
    // In TLS 1.3 the client hears of it only when it reads.
    let (status, _) = answer(&mut stream).await;
    assert_eq!(status, "", "the door answered a stranger");
}

#[tokio::test]
async fn slow_guests_are_shown_out_and_disturb_nobody() {
    let limits = Limits { greeting: Duration::from_millis(300), ..Limits::default() };
    let door = Door::open(limits).await;
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    let mut dawdling = door.connect(None).await;
    dawdling.write_all(b"GET /v1/ord").await.unwrap();
    let start = Instant::now();
    let (status, _) = door.ask(None, &post("/v1/join", "{}")).await;
    assert!(status.starts_with("HTTP/1.1 400"), "{status}");
    assert!(start.elapsed() < Duration::from_secs(5), "somebody else had to wait");
    let mut rest = Vec::new();
    let shown_out = async {
        let _ = silent.read_to_end(&mut rest).await;
        let _ = dawdling.read_to_end(&mut rest).await;
    };
    tokio::time::timeout(Duration::from_secs(10), shown_out).await.expect("the slow ones are still inside");
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_in_time() {
    let door = Door::open(Limits::default()).await;
    let (mut heard, mut spoken) = tokio::io::split(door.connect(None).await);
    spoken.write_all(b"POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n").await.unwrap();
    let drip = async {
        let mut drops = tokio::time::interval(Duration::from_millis(200));
        loop {
            drops.tick().await;
            if spoken.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut said = vec![0; 1000];
    let answered = tokio::time::timeout(Duration::from_mins(1), heard.read(&mut said));
    let length = tokio::select! { answer = answered => answer.expect("an answer").unwrap(), () = drip => 0 };
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("took more than"), "{said}");
}

#[tokio::test]
async fn a_stranger_who_asks_and_does_not_read_keeps_no_place() {
    let limits = Limits { connections: 1, stranger: Duration::from_millis(300), ..Limits::default() };
    let door = Door::open(limits).await;
    let mut stranger = door.connect(None).await;
    // More than all buffers on the way hold.
    let many = "GET /v1/node HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    stranger.write_all(many.as_bytes()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !is_let_in(&door).await {
        assert!(Instant::now() < until, "the place stayed taken");
    }
    drop(stranger);
}

/// One that is let in hears nothing until it speaks; one that isn't hears the end at once.
async fn is_let_in(door: &Door) -> bool {
    let mut guest = TcpStream::connect(door.address).await.unwrap();
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(200), guest.read(&mut byte)).await.is_err()
}

#[tokio::test]
async fn a_crowd_is_limited_and_the_place_of_one_that_leaves_is_free_again() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let door = Door::open(limits).await;
    let first = door.connect(None).await;
    let second = door.connect(None).await;
    let mut third = TcpStream::connect(door.address).await.unwrap();
    let mut nothing = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(5), third.read_to_end(&mut nothing)).await;
    assert!(closed.is_ok(), "a third guest was let in");
    drop((first, second));
    let until = Instant::now() + Duration::from_secs(5);
    while !is_let_in(&door).await {
        assert!(Instant::now() < until, "the places stayed taken");
    }
}
