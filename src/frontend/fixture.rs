//! A front-end's surroundings, for tests.

use landbridge_node::path::SendRoom;
use landbridge_node::wire::People;

use super::Surroundings;
use crate::services::nfs::NfsServer;
use crate::services::nis::Rpcbind;

pub(crate) fn around(systemd: bool) -> Surroundings {
    Surroundings {
        binary: "/usr/local/bin/landbridge".into(),
        daemon: "/usr/local/bin/landbridged".into(),
        file: "/etc/landbridge/cluster.toml".into(),
        own_name: "frontend".into(),
        nfs_server: NfsServer::Ganesha,
        rpcbind: Rpcbind::Ours,
        people: People::default(),
        send_room: SendRoom::of(212_992),
        systemd,
        rotates_logs: true,
        home: "/root".into(),
        daemon_dies_at: None,
    }
}
