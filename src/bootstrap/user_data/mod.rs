//! User-data: a `#cloud-config` that makes a machine a worker.

use landbridge_node::wire::Token;
use serde::Serialize;

/// The most bytes that EC2 takes, before base64.
pub const LIMIT: usize = 16_384;

/// The script that the machine runs; see its first lines.
const SCRIPT: &str = include_str!("../boot.sh");

/// Where everything lies on the machine: in memory, so that nothing of it is left after a reboot.
const PLACE: &str = "/run/landbridge-boot";

/// For the user that an image makes for itself (`debian`, `ubuntu`): the last that Debian gives to people, since 1000, which it
/// would take, is the first of the cluster's own users, who would go by its name.
const IMAGES_OWN_USER: u32 = 59_999;

/// What the user-data is made of.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap<'a> {
    /// The join token; it says where the front-end is, and by which way the machine joins.
    pub token: &'a Token,
    /// The authorities to trust (PEM). Public.
    pub trust_pem: &'a str,
    /// The SHA-256 of `landbridge-node`.
    pub node_sha256: [u8; 32],
    /// What the cluster's services need on the machine.
    pub needs: Needs,
}

/// The services that a worker needs programs for. (A tunnel's are known from the token.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Mounts.
    pub nfs: bool,
    /// Users.
    pub nis: bool,
    /// Grid Engine's execution daemon.
    pub sge: bool,
}

/// The user-data would be larger than EC2 takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the user-data would be {total} bytes, and EC2 takes {LIMIT}: {authorities} bytes of it are certificates of authorities, \
     {script} the script; end a rotation that is under way (landbridge pki rotate --finish), then boot again"
)]
pub struct TooLarge {
    /// All of it.
    pub total: usize,
    /// What the authorities' certificates take.
    pub authorities: usize,
    /// What the script takes.
    pub script: usize,
}

#[derive(Serialize)]
struct CloudConfig<'a> {
    user: DefaultUser,
    bootcmd: [[&'a str; 5]; 1],
    write_files: [WriteFile<'a>; 4],
    runcmd: [[&'a str; 2]; 1],
}

#[derive(Serialize)]
struct DefaultUser {
    uid: u32,
}

#[derive(Serialize)]
struct WriteFile<'a> {
    path: String,
    permissions: &'static str,
    content: &'a str,
}

/// Renders the user-data. It holds the token: a secret for as long as the token is good.
pub fn user_data(bootstrap: &Bootstrap<'_>) -> Result<String, TooLarge> {
    let token = bootstrap.token.reveal();
    let (parameters, token_line) = (parameters(bootstrap), format!("{token}\n"));
    let file = |name, permissions, content| WriteFile { path: format!("{PLACE}/{name}"), permissions, content };
    let script = format!("{PLACE}/boot.sh");
    let config = CloudConfig {
        user: DefaultUser { uid: IMAGES_OWN_USER },
        // Before the files are written: cloud-init sets a file's permissions only after it has written it.
        bootcmd: [["install", "-d", "-m", "700", PLACE]],
        write_files: [
            file("authority.pem", "0644", bootstrap.trust_pem),
            file("parameters", "0600", &parameters),
            file("token", "0600", &token_line),
            file("boot.sh", "0700", SCRIPT),
        ],
        runcmd: [["sh", &script]],
    };
    let yaml = serde_saphyr::to_string(&config).expect("texts and lists of texts are YAML");
    let text = format!("#cloud-config\n# landbridge: {token}\n{yaml}");
    let too_large = TooLarge { total: text.len(), authorities: bootstrap.trust_pem.len(), script: SCRIPT.len() };
    if text.len() > LIMIT { Err(too_large) } else { Ok(text) }
}

/// What the script reads: lines of `NAME=word`, each word without anything that a shell would take for more.
fn parameters(bootstrap: &Bootstrap<'_>) -> String {
    use std::fmt::Write as _;
    let Bootstrap { token, node_sha256, needs, .. } = bootstrap;
    let way = if token.address.is_some() { "bridge" } else { "tunnel" };
    let sha256 = node_sha256.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let of = |needed: bool| if needed { "yes" } else { "no" };
    format!(
        "FRONT_END={}\nVIA={way}\nNODE_SHA256={sha256}\nNFS={}\nNIS={}\nSGE={}\n",
        token.endpoint,
        of(needs.nfs),
        of(needs.nis),
        of(needs.sge),
    )
}

#[cfg(test)]
mod tests;
