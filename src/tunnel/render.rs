//! OpenVPN's configuration language, and what both ends of a tunnel must agree on.

use std::fmt::{Display, Write as _};
use std::path::Path;

use landbridge_fabric::Mtu;

use crate::spec::{Cluster, Transport};

/// A configuration being written, one directive a line.
#[derive(Default)]
pub(super) struct Config(String);

impl Config {
    /// A remark for the person who opens the file.
    pub(super) fn remark(&mut self, text: &str) -> &mut Self {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        writeln!(self.0, "{gap}# {text}").expect("a String takes everything");
        self
    }

    /// A directive as it stands.
    pub(super) fn line(&mut self, directive: impl Display) -> &mut Self {
        writeln!(self.0, "{directive}").expect("a String takes everything");
        self
    }

    /// A directive with a file, quoted.
    pub(super) fn file(&mut self, directive: &str, path: &Path, rest: &str) -> &mut Self {
        let path = quoted(&path.to_string_lossy());
        self.line(format_args!("{directive} {path} {rest}").to_string().trim_end())
    }

    /// A file's text in place of its name.
    pub(super) fn inline(&mut self, tag: &str, text: &str) -> &mut Self {
        self.line(format_args!("<{tag}>\n{}\n</{tag}>", text.trim_end()))
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// OpenVPN's quoting: double quotes around, a backslash before quotes and backslashes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The directives that stand in both configurations, word for word.
///
/// | directive | why |
/// |---|---|
/// | `tls-version-min 1.3` | both ends are ours; nothing older needs to be negotiable |
/// | `tls-groups X25519:secp256r1` | key exchange in these two only; P-256 must be there because the certificates use it |
/// | `tls-cert-profile preferred` | no SHA-1, no short keys, also from an authority that is not ours |
/// | `data-ciphers` | AEAD only; with and without AES instructions there is a fast one |
/// | `disable-dco` | the kernel's offload knows no taps; without this each start says so |
/// | `persist-key`, `persist-tun` | a reconnect (SIGUSR1) keeps the tap, so its port on the bridge and its addresses stay |
/// | `allow-compression no` | compressed secrets leak by their length (VORACLE) |
/// | `txqueuelen 1000` | a tap's 500 frames overflow at these rates |
/// | `tun-mtu` | the tap carries whole frames of the vLAN: any less and the bridge would drop what every other port takes, with nobody to send an ICMP error |
/// | `tun-mtu-max` | room in the buffers for the large packets that the two ends may exchange; the tap keeps `tun-mtu` |
pub(super) fn common(config: &mut Config, cluster: &Cluster) {
    config
        .remark("Cryptography: TLS 1.3 and AEAD only.")
        .line("tls-version-min 1.3")
        .line("tls-groups X25519:secp256r1")
        .line("tls-cert-profile preferred")
        .line("data-ciphers AES-256-GCM:CHACHA20-POLY1305:AES-128-GCM")
        .line("allow-compression no")
        .remark("Packets.")
        .line("disable-dco")
        .line("persist-key")
        .line("persist-tun")
        .line("txqueuelen 1000")
        .line(format_args!("tun-mtu {}", cluster.vlan.mtu));
    if let Some(wide) = cluster.wide() {
        config.line(format_args!("tun-mtu-max {wide}"));
    }
}

/// What an end has besides over TCP.
///
/// | directive | why |
/// |---|---|
/// | `tcp-nodelay` | a frame waits for no other one; the server tells its clients |
/// | `tcp-queue-limit 256` | 64 frames overflow in a burst, and what is dropped there the connection inside sends again |
/// | `mssfix 0` | the stream is cut anew anyway: whatever two ends can exchange, they may |
/// | no `rcvbuf` | the kernel fits TCP's buffers to the path by itself, better than any number |
/// | `sndbuf`, where the kernel allows a large one | each end's own: [`landbridge_node::path::SendRoom`] |
pub(super) fn tcp(config: &mut Config) {
    config.line("tcp-nodelay").line("tcp-queue-limit 256").line("mssfix 0");
}

/// What an end has besides over UDP, for the whole process.
///
/// | directive | why |
/// |---|---|
/// | `sndbuf`, `rcvbuf` 2 MiB | the kernel's 208 KiB overflow in a burst; measured 0.37 against 0.24 to 0.30 Gbit/s |
pub(super) fn udp_buffers(config: &mut Config) {
    config.line("sndbuf 2097152").line("rcvbuf 2097152");
}

/// What an end has besides over UDP, for each of its ways.
///
/// Encapsulated, a frame of 1,500 bytes is a UDP packet of some 1,570, more than most paths carry. It goes as two IP
/// fragments, cut by the sender's kernel or, on a narrower path, by a router: `mtu-disc no` leaves DF unset, else a path that swallows
/// ICMP errors would swallow every large packet too (EC2's internet gateways fragment what may be fragmented and drop the
/// rest). OpenVPN's own `fragment` is not used: it costs four bytes and a header in every packet, and the kernel's work is
/// free.
///
/// TCP inside needn't pay for fragments: `mssfix` lowers the segment size that passing SYNs offer, so that an encapsulated
/// segment fits into 1,492 bytes (a DSL path), fragments or not. Measured, this is as fast as two fragments a packet, and it
/// survives paths that drop fragments. A vLAN with jumbo frames, or large packets over UDP alone, want the opposite: the cost is per packet, so large
/// segments in many fragments win by far (1.3 against 0.4 Gbit/s at 9,000 bytes), and `mssfix 0` leaves the segments alone.
///
/// `explicit-exit-notify 1`: who leaves says so, and the other end needn't wait for the time-out.
pub(super) fn udp(config: &mut Config, cluster: &Cluster) {
    let asked_for = cluster.tunnel.transport == Transport::Udp && cluster.wide().is_some();
    let mssfix = if asked_for || cluster.vlan.mtu > Mtu::ETHERNET { "mssfix 0" } else { "mssfix 1492 mtu" };
    config.line(mssfix).line("mtu-disc no").line("explicit-exit-notify 1");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::fixture;

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word() {
        let mut config = Config::default();
        config.file("crl-verify", Path::new(r#"/var/my "lib"\x"#), "dir");
        assert_eq!(config.finish(), "crl-verify \"/var/my \\\"lib\\\"\\\\x\" dir\n");
    }

    #[test]
    fn jumbo_frames_keep_their_segments_and_others_fit_the_path() {
        let rendered = |mtu| {
            let mut config = Config::default();
            let mut cluster = fixture::cluster();
            cluster.vlan.mtu = Mtu::new(mtu).expect("an MTU");
            udp(&mut config, &cluster);
            config.finish()
        };
        assert_eq!(rendered(1500), "mssfix 1492 mtu\nmtu-disc no\nexplicit-exit-notify 1\n");
        assert_eq!(rendered(9000), "mssfix 0\nmtu-disc no\nexplicit-exit-notify 1\n");
    }
}
