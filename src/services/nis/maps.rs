//! How the maps are made.

/// `build-maps DOMAIN MASTER HOSTS`: people (not the system's own users, not nobody) with `*` for their password, their
/// groups, and the names in HOSTS. The package's own Makefile would publish shadow.
///
/// Each map is a file of that name in the current directory; `makedbm -c` tells a running `ypserv` to look again.
pub(super) const BUILD: &str = r#"#!/bin/sh
# Builds the NIS maps of a domain. Written by landbridge; changes here are lost.
set -eu
domain=$1 master=$2 hosts=$3
mkdir -p -m 0755 "/var/yp/$domain"
cd "/var/yp/$domain"

people() { awk -F: -v OFS=: '$3 >= 1000 && $3 != 65534 { $2 = "*"; print }' "$1"; }
keyed() { awk -F: -v field="$1" '{ print $field "\t" $0 }'; }
load() { /usr/lib/yp/makedbm -m "$master" "$@"; }

people /etc/passwd | keyed 1 | load - passwd.byname
people /etc/passwd | keyed 3 | load - passwd.byuid
people /etc/group | keyed 1 | load - group.byname
people /etc/group | keyed 3 | load - group.bygid
awk '{ for (n = 2; n <= NF; n++) print $n "\t" $0 }' "$hosts" | load -l - hosts.byname
awk '{ print $1 "\t" $0 }' "$hosts" | load - hosts.byaddr
printf '%s\t%s\n' "$master" "$master" | load - ypservers
# Before its first start there is no ypserv to tell.
/usr/lib/yp/makedbm -c 2>/dev/null || :
"#;
