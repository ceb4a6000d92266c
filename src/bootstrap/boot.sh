#!/bin/sh
# Makes this machine a worker of a Landbridge cluster: fetches landbridge-node from the front-end and joins with the token.
#
# cloud-init has written this file and its neighbours: `parameters`, `authority.pem` (whom to trust; nobody else is), and
# `token`, which is good for one join within minutes. All of them are removed when the script ends.
set -eu
umask 077
cd "$(dirname "$0")"
. ./parameters
trap 'rm -rf "$PWD"' EXIT

say() {
    echo "landbridge: $*"
}

fail() {
    say "not joined: $*" >&2
    exit 1
}

# A golden image's own unit has read the same user-data, and joins.
if [ -e /etc/systemd/system/sysinit.target.wants/landbridge-node-boot.service ] && [ -e /var/lib/landbridge-node/identity.json ]; then
    say "landbridge-node has joined by itself"
    exit 0
fi

# Each program that a worker needs, with Debian's package.
wanted() {
    have curl || echo curl
    if [ "$VIA" = tunnel ]; then have openvpn || echo openvpn; fi
    if [ "$NFS" = yes ]; then have mount.nfs4 || echo nfs-common; fi
    if [ "$NIS" = yes ]; then
        have rpcbind || echo rpcbind
        have ypbind || echo ypbind-mt
        have ypwhich || echo yp-tools
        ldconfig -p | grep -q libnss_nis || echo libnss-nis
        ldconfig -p | grep -q libnss_extrausers || echo libnss-extrausers
    fi
    if [ "$SGE" = yes ] && [ ! -x /usr/lib/gridengine/sge_execd ]; then
        echo gridengine-exec
        # It wants a mail agent: one that is no daemon.
        have sendmail || echo dma
    fi
}

have() {
    command -v "$1" >/dev/null
}

# landbridge-node starts the services that it needs, so nothing starts by being installed.
install_packages() {
    have apt-get || fail "$* missing, and there is no apt-get to install it with: take an image that has it"
    say "installing $*"
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
        trap 'rm -rf "$PWD" /usr/sbin/policy-rc.d' EXIT
    fi
    echo "gridengine-common shared/gridengineconfig boolean false" | debconf-set-selections || true
    export DEBIAN_FRONTEND=noninteractive
    apt="apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
    # The system's own first update may hold the lists' lock, for which apt-get does not wait.
    tries=0
    until $apt update; do
        tries=$((tries + 1))
        [ $tries -lt 10 ] || break
        sleep 6
    done
    $apt install -y --no-install-recommends "$@" >/dev/null || fail "apt-get could not install $*"
}

# What starts these at boot, when a package has set that up, would be in landbridge-node's way.
give_way() {
    have systemctl || return 0
    for unit in ypbind nscd gridengine-exec; do
        systemctl disable --quiet --now "$unit.service" 2>/dev/null || true
    done
}

fetch_node() {
    say "fetching landbridge-node from $FRONT_END"
    # The network may be a little later than we are.
    curl --fail --silent --show-error --cacert authority.pem --output landbridge-node \
        --connect-timeout 5 --max-time 120 --retry 30 --retry-delay 2 --retry-connrefused --retry-all-errors --retry-max-time 180 \
        "https://$FRONT_END/v1/node" || fail "$FRONT_END does not give landbridge-node: see above"
    echo "$NODE_SHA256  landbridge-node" | sha256sum --check --quiet - || fail "what $FRONT_END gave is not the landbridge-node that was promised"
    install -D -m 755 landbridge-node /usr/local/sbin/landbridge-node
}

packages=$(wanted)
# shellcheck disable=SC2086  # one word a package
[ -z "$packages" ] || install_packages $packages
give_way
fetch_node
/usr/local/sbin/landbridge-node join --via "$VIA" --token-stdin <token
