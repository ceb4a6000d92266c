//! A worker's configuration.

use std::net::Ipv4Addr;

use landbridge_pki::NodeName;

use super::render::{self, Config};
use super::{Protocol, layout};
use crate::naming::{self, Mac};
use crate::spec::{Cluster, Transport};

/// The configuration of the worker `name`, everything inline but its private key: with a `<key>` block added, a stock
/// `openvpn --config FILE` starts it. `certificate_pem` is the worker's, `trust_pem` one or two authorities,
/// `tls_crypt_v2_pem` from [`super::crypt_v2::client_key`]: the text is as secret as that.
///
/// Beside what both ends share (`render::common`):
///
/// | directive | why |
/// |---|---|
/// | `client` | `tls-client` and `pull`: its address comes from its file in the server's ccd directory (`ifconfig-push`) |
/// | `dev lbw-CLUSTER` | one fixed name; openvpn makes the tap, gives it its address and takes it away |
/// | `lladdr` | the MAC follows the address (`02:4c` and its four bytes), else each start invents one and the others send to the old one until their ARP entries are stale |
/// | `<connection>`, `remote …` | the public address, a literal: no resolver is needed, and so no `resolv-retry`. Which server comes first follows from the worker's address; one that can't be reached is followed by the next |
/// | `nobind` | any port: two clients on a machine, NAT |
/// | `connect-retry 1 8` | by default the pause between attempts doubles up to 300 s: a server back after an hour would wait five minutes more |
/// | `connect-timeout 4` | without any answer, on to the next server after 4 s instead of 120 s: time for two repetitions |
/// | `hand-window 20` | a handshake that broke off (the server was restarted in the middle) is given up after 20 s, not 60 s |
/// | `tls-timeout 1` | repeat a lost handshake packet after 1 s instead of 2 s |
/// | `remote-cert-tls server`, `verify-x509-name` | serverAuth and the front-end's name: another worker's certificate can't pose as the server |
/// | `script-security 1` | no scripts, but `ip` where openvpn was built with it |
/// | `auth-nocache` | keep no secrets in memory that aren't needed |
pub fn client_config(
    cluster: &Cluster,
    name: &NodeName,
    address: Ipv4Addr,
    certificate_pem: &str,
    trust_pem: &str,
    tls_crypt_v2_pem: &str,
) -> String {
    let mut config = Config::default();
    config
        .remark(&format!("The tunnel of {name} ({address}) to the cluster {}.", cluster.name))
        .line("client")
        .line(format_args!("dev {}", naming::worker_tap(&cluster.name)))
        .line("dev-type tap")
        .line(format_args!("lladdr {}", Mac::of(address)))
        .line("nobind");
    config
        .line("connect-retry 1 8")
        .line("connect-timeout 4")
        .line("hand-window 20")
        .line("tls-timeout 1")
        .remark("The server must be the front-end.")
        .line("remote-cert-tls server")
        .line(format_args!("verify-x509-name {} name", cluster.front_end.name));
    render::common(&mut config, cluster);
    match cluster.tunnel.transport {
        Transport::Udp => {
            render::udp_buffers(&mut config);
            // What a block says counts only where the default was taken back before it.
            config.line("mssfix 0");
        }
        Transport::Tcp | Transport::Auto => render::tcp(&mut config),
    }
    remotes(&mut config, cluster, address);
    config.remark("This worker.").line("script-security 1").line("auth-nocache").line("verb 3");
    config.inline("ca", trust_pem).inline("cert", certificate_pem).inline("tls-crypt-v2", tls_crypt_v2_pem);
    config.finish()
}

/// The servers, in this worker's order. Last: a block takes over what was said before it, and nothing that comes after.
fn remotes(config: &mut Config, cluster: &Cluster, address: Ipv4Addr) {
    config.remark("The servers, in this worker's order.");
    for server in layout::order(&layout::servers(cluster), address) {
        let protocol = match server.protocol {
            Protocol::Udp => "udp4",
            Protocol::Tcp => "tcp4-client",
        };
        config.line("<connection>");
        config.line(format_args!("remote {} {} {protocol}", cluster.front_end.public, server.port));
        if server.protocol == Protocol::Udp {
            render::udp(config, cluster);
        }
        config.line("</connection>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::fixture;

    fn config() -> String {
        let name = NodeName::new("w1").expect("a name");
        let pem = |what: &str| format!("-----BEGIN {what}-----\n…\n-----END {what}-----\n");
        client_config(
            &fixture::cluster(),
            &name,
            Ipv4Addr::new(10, 77, 1, 5),
            &pem("CERTIFICATE"),
            &pem("CERTIFICATE"),
            &pem("OpenVPN tls-crypt-v2 client key"),
        )
    }

    #[test]
    fn the_configuration_is_this() {
        insta::assert_snapshot!("client", config());
    }

    #[test]
    fn no_private_key_is_in_it() {
        assert!(!config().contains("<key>"));
        assert!(!config().contains("PRIVATE KEY"));
    }
}
