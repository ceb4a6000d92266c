//! A cluster as a commented `cluster.toml`.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use landbridge_fabric::{Mtu, Vni};
use landbridge_node::wire::API_PORT;
use landbridge_pki::NodeName;

use super::{
    Cloud, Cluster, ClusterName, FRONT_END_NAME, FrontEnd, Host, HostKind, Hypervisor, Nfs, Nis, PhysicalHost,
    SchedulerKind, Services, TUNNEL_PORT, Tunnels, Uplink, Vlan,
};

/// A small cluster to start from: two physical hosts and a cloud.
pub fn example(name: ClusterName) -> Cluster {
    let domain = format!("{name}.vlan");
    let hosts = (1..=2).map(|n| physical(&name, n)).chain([cloud()]).collect();
    Cluster {
        vlan: Vlan {
            subnet: "10.77.0.0/16".parse().expect("a subnet"),
            workers: "10.77.1.0/24".parse().expect("a subnet"),
            mtu: Mtu::ETHERNET,
            uplink: Uplink::Vxlan { vni: Vni::new(77).expect("24 bits"), underlay_mtu: None },
        },
        front_end: FrontEnd {
            name: NodeName::new(FRONT_END_NAME).expect("a label"),
            public: Ipv4Addr::new(198, 51, 100, 1),
            underlay: Ipv4Addr::new(192, 0, 2, 10),
            api_port: API_PORT,
            tunnel_port: TUNNEL_PORT,
        },
        tunnel: Tunnels::default(),
        services: Services {
            nfs: Some(Nfs { exports: vec!["/home".into()] }),
            nis: Some(Nis { domain }),
            scheduler: SchedulerKind::Sge,
        },
        hosts,
        name,
    }
}

fn physical(cluster: &ClusterName, n: u8) -> Host {
    let name = NodeName::new(format!("{cluster}{n:02}")).expect("a cluster's name and two digits are a label");
    let hypervisor = Some(Hypervisor::Libvirt(format!("qemu+ssh://root@{name}/system")));
    let underlay = Ipv4Addr::new(192, 0, 2, 10 + n);
    Host { name, kind: HostKind::Physical(PhysicalHost { underlay, hypervisor, cpus: 8, memory_mib: 8192 }) }
}

fn cloud() -> Host {
    let cloud = Cloud {
        region: "us-east-1".into(),
        instance_type: "m1.small".into(),
        workers: 5,
        endpoint: None,
        cpus: None,
        memory_mib: None,
        subnet: None,
        spot: false,
    };
    Host { name: NodeName::new("ec2").expect("a label"), kind: HostKind::Cloud(cloud) }
}

/// A cluster as the text of its file, with a comment on everything that a person may want to change.
pub fn template(cluster: &Cluster) -> String {
    let mut out = String::new();
    write_template(cluster, &mut out).expect("a String takes everything");
    align_comments(&out)
}

/// Puts the comments behind values into one column.
fn align_comments(text: &str) -> String {
    let aligned = text.lines().map(|line| match line.split_once("  # ") {
        Some((code, comment)) if !line.starts_with('#') => format!("{code:<38}  # {comment}\n"),
        _ => format!("{line}\n"),
    });
    aligned.collect()
}

fn write_template(cluster: &Cluster, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "# The whole cluster. `landbridge check` tells every mistake, `landbridge plan` what `up` would do.\n"
    )?;
    writeln!(out, "[cluster]")?;
    writeln!(out, "name = {:?}  # 1 to 10 letters, digits, hyphens", cluster.name.as_str())?;
    write_vlan(&cluster.vlan, out)?;
    write_front_end(&cluster.front_end, out)?;
    write_tunnels(cluster.tunnel, out)?;
    write_services(&cluster.services, out)?;
    writeln!(out, "\n# Physical hosts and clouds, in the order of `landbridge host list`.")?;
    cluster.hosts.iter().try_for_each(|host| write_host(host, out))
}

fn write_vlan(vlan: &Vlan, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[vlan]  # the private LAN: one layer-2 segment")?;
    writeln!(out, "subnet  = \"{}\"  # the front-end takes the first address", vlan.subnet)?;
    writeln!(out, "workers = \"{}\"  # leased to workers", vlan.workers)?;
    writeln!(out, "mtu     = {}", vlan.mtu)?;
    writeln!(out, "# How the bridges of the front-end and the physical hosts are joined; one of:")?;
    writeln!(
        out,
        "#   {{ vxlan = {{ vni = 77 }} }}                  over the underlay; `underlay-mtu = 1550` has the MTU checked"
    )?;
    writeln!(out, "#   {{ vlan = {{ id = 77, parent = \"eth1\" }} }}   an 802.1Q trunk")?;
    writeln!(out, "#   {{ port = \"eth1\" }}                         a whole NIC of every member")?;
    match &vlan.uplink {
        Uplink::Vxlan { vni, underlay_mtu: None } => writeln!(out, "uplink  = {{ vxlan = {{ vni = {} }} }}", vni.get()),
        Uplink::Vxlan { vni, underlay_mtu: Some(mtu) } => {
            writeln!(out, "uplink  = {{ vxlan = {{ vni = {}, underlay-mtu = {mtu} }} }}", vni.get())
        }
        Uplink::Vlan { id, parent } => {
            writeln!(out, "uplink  = {{ vlan = {{ id = {}, parent = {} }} }}", id.get(), quoted(parent.as_str()))
        }
        Uplink::Port { nic } => writeln!(out, "uplink  = {{ port = {} }}", quoted(nic.as_str())),
    }
}

fn write_front_end(front_end: &FrontEnd, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[front-end]")?;
    writeln!(out, "name        = \"{}\"  # on the vLAN", front_end.name)?;
    writeln!(out, "public      = \"{}\"  # where tunnels and joins arrive", front_end.public)?;
    writeln!(out, "underlay    = \"{}\"  # its address towards the physical hosts", front_end.underlay)?;
    writeln!(out, "api-port    = {}  # TCP: joins", front_end.api_port)?;
    writeln!(
        out,
        "tunnel-port = {}  # TCP and UDP: OpenVPN; a port more for each further server",
        front_end.tunnel_port
    )
}

fn write_tunnels(tunnels: Tunnels, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[tunnel]  # how workers outside reach the vLAN")?;
    let transport = tunnels.transport.as_str();
    writeln!(out, "transport = \"{transport}\"  # TCP, and UDP where TCP is blocked; or \"udp\" or \"tcp\" alone")?;
    match tunnels.servers {
        Some(servers) => writeln!(out, "servers   = {servers}")?,
        None => writeln!(out, "# servers = 4  # server processes; without it one for each processor here")?,
    }
    match tunnels.mtu {
        Some(mtu) => writeln!(out, "mtu       = {mtu}"),
        None => writeln!(out, "# mtu = 60000  # largest packet worker <-> front-end; the vLAN's for no larger ones"),
    }
}

fn write_services(services: &Services, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[services]  # leave `nfs` or `nis` out when others serve them")?;
    if let Some(nfs) = &services.nfs {
        let exports: Vec<_> = nfs.exports.iter().map(|path| quoted(&path.to_string_lossy())).collect();
        writeln!(out, "nfs       = {{ exports = [{}] }}", exports.join(", "))?;
    }
    if let Some(nis) = &services.nis {
        writeln!(out, "nis       = {{ domain = {} }}", quoted(&nis.domain))?;
    }
    let scheduler = match services.scheduler {
        SchedulerKind::Sge => "sge",
        SchedulerKind::Slurm => "slurm",
        SchedulerKind::None => "none",
    };
    writeln!(out, "scheduler = \"{scheduler}\"  # or \"none\"")
}

fn write_host(host: &Host, out: &mut String) -> std::fmt::Result {
    match &host.kind {
        HostKind::Physical(physical) => {
            writeln!(out, "\n[[host]]\nname     = \"{}\"", host.name)?;
            writeln!(out, "underlay = \"{}\"", physical.underlay)?;
            match &physical.hypervisor {
                Some(Hypervisor::Libvirt(uri)) => writeln!(out, "libvirt  = {}", quoted(uri))?,
                Some(Hypervisor::Driver(path)) => writeln!(out, "driver   = {}", quoted(&path.to_string_lossy()))?,
                None => {}
            }
            writeln!(out, "cpus     = {}  # for workers", physical.cpus)?;
            writeln!(out, "memory   = \"{}\"", memory(physical.memory_mib))
        }
        HostKind::Cloud(cloud) => {
            writeln!(out, "\n[[host]]  # a cloud is a host of a fixed size")?;
            writeln!(out, "name = \"{}\"", host.name)?;
            writeln!(out, "ec2  = {}", cloud_table(cloud))
        }
    }
}

/// The keys that say what their absence doesn't.
fn cloud_table(cloud: &Cloud) -> String {
    let mut keys = vec![
        format!("region = {}", quoted(&cloud.region)),
        format!("instance-type = {}", quoted(&cloud.instance_type)),
        format!("workers = {}", cloud.workers),
    ];
    keys.extend(cloud.endpoint.iter().map(|url| format!("endpoint = {}", quoted(url))));
    keys.extend(cloud.cpus.iter().map(|cpus| format!("cpus = {cpus}")));
    keys.extend(cloud.memory_mib.iter().map(|mib| format!("memory = \"{}\"", memory(*mib))));
    keys.extend(cloud.subnet.iter().map(|id| format!("subnet = {}", quoted(id))));
    keys.extend(cloud.spot.then(|| "spot = true".to_owned()));
    format!("{{ {} }}", keys.join(", "))
}

fn memory(mib: u64) -> String {
    if mib.is_multiple_of(1024) { format!("{} GiB", mib / 1024) } else { format!("{mib} MiB") }
}

/// A TOML text in quotes.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
