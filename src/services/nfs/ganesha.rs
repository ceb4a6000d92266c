//! NFS-Ganesha 4: a server in user space, for kernels without one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::machine::{Children, File, MachineSpec, Process, Readiness, Residue};

use super::export_id::export_ids;
use super::{NfsServer, PORT, address};
use crate::paths::Paths;
use crate::services::directory;
use crate::spec::Cluster;

/// The configuration and the server. It needs no rpcbind (v4 has one well-known port) and no D-Bus.
pub(super) fn resources(cluster: &Cluster, paths: &Paths, exports: &[PathBuf]) -> MachineSpec {
    let folder = paths.services().join("nfs");
    let config = folder.join("ganesha.conf");
    let pid_file = paths.run.join("ganesha.pid");
    let mut spec = MachineSpec::default();
    spec.push(directory(&folder));
    spec.push(File::open(&config, render(cluster, &folder, exports)));
    // Clients that hold state, for a grace period that is never used; the pid file; Ganesha's place for callback tickets.
    for path in [folder.join("v4recov"), folder.join("v4old"), pid_file.clone(), "/run/ganesha".into()] {
        spec.push(Residue { path });
    }
    spec.push(Process {
        name: "ganesha".into(),
        argv: [
            "/usr/bin/ganesha.nfsd".to_owned(),
            "-F".into(),
            "-f".into(),
            config.display().to_string(),
            "-L".into(),
            "STDOUT".into(),
            "-p".into(),
            pid_file.display().to_string(),
        ]
        .into(),
        env: vec![],
        restart_on: vec![config],
        reload_on: vec![],
        ready: Readiness::Tcp((address(cluster), PORT).into()),
        deadline: Duration::from_secs(15),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    });
    spec
}

/// The configuration. Workers mount minor version 2; minor version 0 is there for those who want to look in from
/// outside (libnfs knows no other).
fn render(cluster: &Cluster, folder: &Path, exports: &[PathBuf]) -> String {
    let mut text = format!(
        "# NFS exports of cluster {name}. Written by landbridge; changes here are lost.\n\
         NFS_CORE_PARAM {{\n\
         \x20   Protocols = 4;\n\
         \x20   Bind_addr = {address};\n\
         \x20   NFS_Port = {PORT};\n\
         \x20   Enable_NLM = false;\n\
         \x20   Enable_RQUOTA = false;\n\
         \x20   Enable_UDP = false;\n\
         }}\n\
         \n\
         NFSv4 {{\n\
         \x20   Minor_Versions = 0, 2;\n\
         \x20   # Without it every first open after a start waits out a grace period of 90 seconds, and a front-end that\n\
         \x20   # restarts stops the whole cluster for as long. What is given up: locks held over a restart of the server.\n\
         \x20   Graceless = true;\n\
         \x20   # Owners travel as numbers: NIS gives every machine the same ones, and no id mapper is needed.\n\
         \x20   Only_Numeric_Owners = true;\n\
         \x20   RecoveryBackend = fs;\n\
         \x20   RecoveryRoot = \"{folder}\";\n\
         }}\n\
         \n\
         NFS_KRB5 {{ Active_krb5 = false; }}\n\
         \n\
         LOG {{\n\
         \x20   Default_Log_Level = EVENT;\n\
         \x20   Components {{ DBUS = FATAL; }}\n\
         }}\n",
        name = cluster.name,
        address = address(cluster),
        folder = folder.display(),
    );
    let root = NfsServer::Ganesha.root(exports);
    for (id, path) in export_ids(exports.iter().map(PathBuf::as_path)) {
        let shown = if root == Some(path) { Path::new("/") } else { path };
        export(&mut text, cluster, id, (path, shown));
    }
    text
}

/// One export, and the path where clients find it: nobody, but for the vLAN. Root on a worker is nobody here, since a worker may
/// be a machine in a cloud.
fn export(text: &mut String, cluster: &Cluster, id: u16, (path, shown): (&Path, &Path)) {
    write!(
        text,
        "\n\
         EXPORT {{\n\
         \x20   Export_Id = {id};\n\
         \x20   Path = \"{path}\";\n\
         \x20   Pseudo = \"{shown}\";\n\
         \x20   Protocols = 4;\n\
         \x20   Transports = TCP;\n\
         \x20   SecType = sys;\n\
         \x20   Access_Type = None;\n\
         \x20   # Homes change on the front-end too, and nobody tells Ganesha: what it remembered, workers would see for a minute.\n\
         \x20   Attr_Expiration_Time = 0;\n\
         \x20   FSAL {{ Name = VFS; }}\n\
         \x20   CLIENT {{\n\
         \x20       Clients = {subnet};\n\
         \x20       Protocols = 4;\n\
         \x20       Access_Type = RW;\n\
         \x20       Squash = Root_Squash;\n\
         \x20       Anonymous_Uid = 65534;\n\
         \x20       Anonymous_Gid = 65534;\n\
         \x20   }}\n\
         }}\n",
        path = path.display(),
        shown = shown.display(),
        subnet = cluster.vlan.subnet,
    )
    .expect("writing to a String never fails");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ClusterName, example};

    fn cluster() -> Cluster {
        example(ClusterName::new("ursa").expect("a cluster name"))
    }

    #[test]
    fn the_configuration_admits_the_vlan_only() {
        insta::assert_snapshot!(render(&cluster(), Path::new("/var/lib/landbridge/services/nfs"), &["/home".into()]));
    }

    #[test]
    fn one_export_is_the_root_and_of_several_each_is_at_its_own_path() {
        let shown = |exports: &[PathBuf]| {
            let text = render(&cluster(), Path::new("/f"), exports);
            let lines = text.lines().filter_map(|line| line.trim().strip_prefix("Pseudo = "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(shown(&["/home".into()]), [r#""/";"#]);
        assert_eq!(shown(&["/home".into(), "/srv".into()]).len(), 2);
        assert!(shown(&["/home".into(), "/srv".into()]).contains(&r#""/home";"#.into()));
    }

    #[test]
    fn the_order_of_exports_does_not_change_the_configuration() {
        let (a, b): (PathBuf, PathBuf) = ("/home".into(), "/srv/data".into());
        let folder = Path::new("/f");
        assert_eq!(render(&cluster(), folder, &[a.clone(), b.clone()]), render(&cluster(), folder, &[b, a]));
    }
}
