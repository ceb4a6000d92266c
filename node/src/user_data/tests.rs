use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const TOKEN: &str =
    "lb1,198.51.100.1:7443,BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc,CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";

fn marked() -> String {
    format!("#cloud-config\n# landbridge: {TOKEN}\nruncmd: []\n")
}

/// A machine with these disks, and its metadata service at this address.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for part in ["block", "dev"] {
            std::fs::create_dir(dir.path().join(part)).expect("a directory");
        }
        Self { dir }
    }

    fn disk(&self, name: &str, content: &[u8]) {
        std::fs::write(self.dir.path().join("block").join(name), "").expect("writing");
        std::fs::write(self.dir.path().join("dev").join(name), content).expect("writing");
    }

    fn sources(&self, metadata: SocketAddr) -> Sources {
        let patience = Duration::from_millis(600);
        Sources { blocks: self.dir.path().join("block"), devices: self.dir.path().join("dev"), metadata, patience }
    }
}

fn seed(label: &[u8; 11], user_data: &str) -> Vec<u8> {
    let mut disk = Cursor::new(vec![0; 1 << 20]);
    format_volume(&mut disk, FormatVolumeOptions::new().volume_label(*label)).expect("formatting");
    let volume = FileSystem::new(&mut disk, FsOptions::new()).expect("a file system");
    volume.root_dir().create_file("user-data").expect("a file").write_all(user_data.as_bytes()).expect("writing");
    volume.unmount().expect("unmounting");
    disk.into_inner()
}

/// A metadata service that gives these answers, one a connection, and remembers the requests.
async fn service(answers: Vec<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a guest");
            let mut request = vec![0; 4096];
            let n = stream.read(&mut request).await.expect("a request");
            ears.lock().expect("no panic").push(String::from_utf8_lossy(&request[..n]).into_owned());
            stream.write_all(answer.as_bytes()).await.expect("answering");
        }
    });
    (address, heard)
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Nobody listens there.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("its address")
}

#[tokio::test]
async fn a_seed_disk_is_found_among_others_and_in_either_case() {
    for label in [b"CIDATA     ", b"cidata     "] {
        let machine = Machine::new();
        machine.disk("vda", &[0; 4096]);
        machine.disk("vdb", b"short");
        machine.disk("vdc", &seed(b"OTHER      ", "#cloud-config\n"));
        machine.disk("vdd", &seed(label, &marked()));
        let token = token(&machine.sources(nobody().await)).await.expect("a token");
        assert_eq!(token.reveal(), TOKEN);
    }
}

#[tokio::test]
async fn the_metadata_service_is_asked_with_a_session() {
    let (address, heard) = service(vec![answer("200 OK", "SESSION"), answer("200 OK", &marked())]).await;
    let token = token(&Machine::new().sources(address)).await.expect("a token");
    assert_eq!(token.reveal(), TOKEN);
    let heard = heard.lock().expect("no panic").clone();
    assert!(heard[0].starts_with("PUT /latest/api/token "), "{heard:?}");
    assert!(heard[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 60"), "{heard:?}");
    assert!(heard[1].starts_with("GET /latest/user-data "), "{heard:?}");
    assert!(heard[1].contains("x-aws-ec2-metadata-token: SESSION"), "{heard:?}");
}

#[tokio::test]
async fn a_cloud_without_sessions_is_asked_without() {
    let (address, heard) = service(vec![answer("404 Not Found", ""), answer("200 OK", &marked())]).await;
    assert!(token(&Machine::new().sources(address)).await.is_ok());
    assert!(!heard.lock().expect("no panic")[1].contains("x-aws-ec2-metadata-token"));
}

#[tokio::test]
async fn a_service_that_comes_late_is_waited_for() {
    let busy = || answer("503 Service Unavailable", "");
    let (address, _) = service(vec![busy(), answer("200 OK", "S"), answer("200 OK", &marked())]).await;
    assert!(token(&Machine::new().sources(address)).await.is_ok());
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let machine = Machine::new();
    let address = nobody().await;
    let none = token(&machine.sources(address)).await.expect_err("nothing there").to_string();
    assert!(none.contains("Connection refused") && none.contains("token create"), "{none}");

    let (address, _) = service(vec![answer("200 OK", "S"), answer("200 OK", "#!/bin/sh\n")]).await;
    let unmarked = token(&machine.sources(address)).await.expect_err("no token").to_string();
    assert!(unmarked.contains("not made by landbridge"), "{unmarked}");

    machine.disk("vda", &seed(b"CIDATA     ", "#cloud-config\n# landbridge: lb1,cut\n"));
    let damaged = token(&machine.sources(address)).await.expect_err("no token").to_string();
    assert!(damaged.contains("vda") && damaged.contains("copied whole"), "{damaged}");
}
