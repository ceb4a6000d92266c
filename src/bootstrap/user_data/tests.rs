use std::process::Command;

use super::*;

const TRUST: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

fn token(address: Option<&str>) -> Token {
    Token {
        endpoint: "198.51.100.1:7443".parse().expect("an endpoint"),
        pin: [7; 32],
        secret: [9; 32],
        address: address.map(|text| text.parse().expect("an address")),
    }
}

fn rendered(address: Option<&str>) -> String {
    let needs = Needs { nfs: true, nis: true, sge: true };
    let token = token(address);
    user_data(&Bootstrap { token: &token, trust_pem: TRUST, node_sha256: [0xab; 32], needs }).expect("it fits")
}

#[test]
fn the_documents_head_and_parameters_read_like_this() {
    let text = rendered(Some("10.77.1.5/16"));
    let (head, _) = text.split_once("boot.sh").expect("the script");
    insta::assert_snapshot!(head);
}

#[test]
fn the_second_line_is_the_token() {
    let text = rendered(None);
    let line = text.lines().nth(1).and_then(|line| line.strip_prefix("# landbridge: ")).expect("the line");
    assert_eq!(line.parse(), Ok(token(None)));
    assert!(text.contains("VIA=tunnel"), "a token without an address is for a tunnel");
}

#[test]
fn every_file_comes_out_of_the_yaml_as_it_went_in() {
    #[derive(serde::Deserialize)]
    struct File {
        path: String,
        content: String,
    }
    #[derive(serde::Deserialize)]
    struct Config {
        write_files: Vec<File>,
    }
    let config: Config = serde_saphyr::from_str(&rendered(None)).expect("YAML");
    let content = |name: &str| config.write_files.iter().find(|f| f.path.ends_with(name)).expect(name).content.clone();
    assert_eq!(content("authority.pem"), TRUST);
    assert_eq!(content("boot.sh"), SCRIPT);
    assert_eq!(content("token").trim().parse(), Ok(token(None)));
}

#[test]
fn it_fits_during_a_rotation_and_says_so_when_it_does_not() {
    let token = token(None);
    let needs = Needs { nfs: true, nis: true, sge: true };
    let size = |authorities: usize| {
        let trust_pem = "x".repeat(800 * authorities);
        user_data(&Bootstrap { token: &token, trust_pem: &trust_pem, node_sha256: [0; 32], needs }).map(|t| t.len())
    };
    assert!(size(3).is_ok_and(|size| size < LIMIT * 3 / 4), "{:?}", size(3));
    let error = size(20).expect_err("too large");
    assert!(error.total > LIMIT && error.authorities == 16_000, "{error}");
}

#[test]
fn the_script_is_one_that_a_plain_shell_reads() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), SCRIPT).expect("writing");
    let read = Command::new("sh").arg("-n").arg(file.path()).output().expect("a shell");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}
