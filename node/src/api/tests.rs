//! The client against servers of every kind, on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{ApiError, Client, Distrust};
use crate::wire::{Identity, MAX_ANSWER, RefusalCode};

const DAY: Duration = Duration::from_hours(24);
const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const OK: &str = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: 4\r\n\r\nnull";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A leaf, its key, and what the server sends behind it.
struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn pin(authority: &Authority) -> [u8; 32] {
    landbridge_pki::pin_of_certificate(authority.der()).expect("a certificate")
}

/// A server's chain: a leaf that begins and ends so far from now, signed by `signer`, followed by `shown`.
fn chain(signer: &Authority, shown: &[&Authority], from: i32, until: i32, usage: ExtendedKeyUsagePurpose) -> Chain {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![usage];
    let now = SystemTime::now();
    let day = |days: i32| {
        let far = DAY * days.unsigned_abs();
        if days < 0 { now - far } else { now + far }
    };
    params.not_before = day(from).into();
    params.not_after = day(until).into();
    let leaf = params.signed_by(&key, signer).expect("a leaf");
    let mut certificates = vec![leaf.der().clone()];
    certificates.extend(shown.iter().map(|authority| authority.der().clone()));
    Chain { certificates, key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
}

fn front_end(authority: &Authority) -> Chain {
    chain(authority, &[authority], -1, 1, ExtendedKeyUsagePurpose::ServerAuth)
}

/// Answers every request on every connection with the same text.
async fn serve(chain: Chain, answer: impl Into<String>) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring's versions")
        .with_no_client_auth()
        .with_single_cert(chain.certificates, chain.key)
        .expect("a chain and its key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), answer.into());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|n| n > 0) {
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn distrust(chain: Chain, pin: [u8; 32]) -> Distrust {
    let client = Client::with_pin(serve(chain, OK).await, pin);
    match client.contact().await {
        Err(ApiError::Distrusted { why, .. }) => why,
        other => panic!("a server that was to be distrusted gave {other:?}"),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

#[tokio::test]
async fn the_front_end_of_the_pinned_authority_is_trusted_and_its_authority_known() {
    let ours = authority();
    let client = Client::with_pin(serve(front_end(&ours), OK).await, pin(&ours));
    client.contact().await.expect("the front-end");
    assert_eq!(client.pinned_authority().as_ref(), Some(ours.der()));
    client.left().await.expect("an answer over the same connection");
}

#[tokio::test]
async fn a_front_end_of_another_authority_is_told_apart() {
    let (ours, theirs) = (authority(), authority());
    assert_eq!(distrust(front_end(&theirs), pin(&ours)).await, Distrust::OtherAuthority);
}

#[tokio::test]
async fn showing_the_pinned_authority_is_not_enough() {
    let (ours, theirs) = (authority(), authority());
    let forged = chain(&theirs, &[&ours, &theirs], -1, 1, ExtendedKeyUsagePurpose::ServerAuth);
    assert_eq!(distrust(forged, pin(&ours)).await, Distrust::OtherAuthority);
}

#[tokio::test]
async fn a_chain_without_its_authority_cannot_be_pinned() {
    let ours = authority();
    let bare = chain(&ours, &[], -1, 1, ExtendedKeyUsagePurpose::ServerAuth);
    assert_eq!(distrust(bare, pin(&ours)).await, Distrust::OtherAuthority);
}

#[tokio::test]
async fn a_worker_cannot_pose_as_the_front_end() {
    let ours = authority();
    let worker = chain(&ours, &[&ours], -1, 1, ExtendedKeyUsagePurpose::ClientAuth);
    assert_eq!(distrust(worker, pin(&ours)).await, Distrust::NoServer);
}

#[tokio::test]
async fn a_certificate_that_begins_later_says_by_how_much_our_clock_is_off() {
    let ours = authority();
    let early = chain(&ours, &[&ours], 2, 3, ExtendedKeyUsagePurpose::ServerAuth);
    let client = Client::with_pin(serve(early, OK).await, pin(&ours));
    let Err(ApiError::Distrusted { why, .. }) = client.contact().await else { panic!("it was trusted") };
    let Distrust::NotYetValid { clock, from } = why else { panic!("{why:?}") };
    assert!(clock.abs_diff(now()) < 60 && (from - clock).abs_diff(2 * DAY.as_secs()) < 60, "{why:?}");
    assert_eq!(client.front_end_clock(&why).await.as_deref(), Some(DATE));
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let ours = authority();
    let late = chain(&ours, &[&ours], -3, -2, ExtendedKeyUsagePurpose::ServerAuth);
    let why = distrust(late, pin(&ours)).await;
    let Distrust::Expired { clock, until } = why else { panic!("{why:?}") };
    assert!((clock - until).abs_diff(2 * DAY.as_secs()) < 60, "{why:?}");
}

#[tokio::test]
async fn the_clock_is_not_asked_of_a_server_of_another_authority() {
    let (ours, theirs) = (authority(), authority());
    let early = chain(&theirs, &[&theirs], 2, 3, ExtendedKeyUsagePurpose::ServerAuth);
    let client = Client::with_pin(serve(early, OK).await, pin(&ours));
    let why = Distrust::NotYetValid { clock: 0, from: now() + 2 * DAY.as_secs() };
    assert_eq!(client.front_end_clock(&why).await, None);
}

#[tokio::test]
async fn a_member_trusts_every_authority_of_a_rotation_and_no_other() {
    let (old, new, theirs) = (authority(), authority(), authority());
    for (server, trusted) in [(&old, true), (&new, true), (&theirs, false)] {
        let endpoint = serve(front_end(server), OK).await;
        let answer = member(&format!("{}{}", old.pem(), new.pem()), &[endpoint]).left().await;
        assert_eq!(answer.is_ok(), trusted, "{answer:?}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let ours = authority();
    let client = member(&ours.pem(), &[silent().await, serve(front_end(&ours), OK).await]);
    client.left().await.expect("the second address answers");
}

#[tokio::test]
async fn an_address_that_swallows_packets_holds_nobody_up() {
    let ours = authority();
    // A listener that nobody accepts from: the handshake gets no answer.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_one = listener.local_addr().expect("its address");
    let client = member(&ours.pem(), &[silent_one, serve(front_end(&ours), OK).await]);
    let answer = tokio::time::timeout(Duration::from_secs(4), client.left()).await;
    answer.expect("before the first address is given up").expect("the second address answers");
}

#[tokio::test]
async fn nothing_listening_is_told_apart_from_everything_else() {
    let client = Client::with_pin(silent().await, [0; 32]);
    let Err(ApiError::Connect { source, .. }) = client.contact().await else { panic!("something listened") };
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_refusal_arrives_with_its_words() {
    let body = r#"{"code":"used-token","message":"the token was used","remedy":"make a new one"}"#;
    let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let ours = authority();
    let client = Client::with_pin(serve(front_end(&ours), answer).await, pin(&ours));
    let Err(ApiError::Refused(refusal)) = client.left().await else { panic!("no refusal") };
    assert_eq!((refusal.code, refusal.message.as_str()), (RefusalCode::UsedToken, "the token was used"));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let body = "x".repeat(2 * MAX_ANSWER);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let ours = authority();
    let client = Client::with_pin(serve(front_end(&ours), answer).await, pin(&ours));
    assert!(matches!(client.orders(0).await, Err(ApiError::Broken { .. })));
}

/// An address where nothing listens any more.
async fn silent() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.and_then(|l| l.local_addr()).expect("a port")
}

fn member(trust_pem: &str, api: &[SocketAddr]) -> Client {
    let key = KeyPair::generate().expect("a key");
    // No server here asks for a client certificate; it only has to fit its key.
    let own = CertificateParams::default().self_signed(&key).expect("a certificate");
    let identity = Identity {
        cluster: "ursa".into(),
        name: landbridge_pki::NodeName::new("w1").expect("a name"),
        certificate_pem: own.pem(),
        trust_pem: trust_pem.into(),
        api: api.iter().map(ToString::to_string).collect(),
    };
    Client::with_identity(&identity, &key.serialize_pem()).expect("an identity")
}
