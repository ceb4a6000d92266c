# A libvirtd with QEMU in namespaces of its own: nothing of it is left when this shell, the first process there, ends.
# $1: a directory for its sockets
set -eu
mount -t tmpfs tmpfs /mnt
for d in etc var; do
    mkdir /mnt/$d /mnt/$d.work
    mount -t overlay overlay -o "lowerdir=/$d,upperdir=/mnt/$d,workdir=/mnt/$d.work" /$d
done
mount -t tmpfs tmpfs /run
mkdir -p /var/lib/libvirt/images
id libvirt-qemu >/dev/null 2>&1 || useradd --system --no-create-home libvirt-qemu
ip link set lo up
ip link add lbbr-ursa type bridge
ip link set lbbr-ursa up
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
remember_owner = 0
namespaces = []
END
printf 'unix_sock_dir = "%s"\nauth_unix_rw = "none"\n' "$1" >/etc/libvirt/libvirtd.conf
virtlogd &
libvirtd &
# As the first process it is everybody's parent in the end.
wait
