//! How the maps are made.

/// `build-maps DOMAIN MASTER PASSWD GROUP HOSTS`: the people and groups in the files, and the names in HOSTS. The package's own Makefile
/// would publish shadow.
///
/// Each map is a file of that name in the current directory; `makedbm -c` tells a running `ypserv` to look again.
pub(super) const BUILD: &str = r#"#!/bin/sh
# Builds the NIS maps of a domain. Written by landbridge; changes here are lost.
set -eu
domain=$1 master=$2 passwd=$3 group=$4 hosts=$5
mkdir -p -m 0755 "/var/yp/$domain"
cd "/var/yp/$domain"

keyed() { awk -F: -v field="$1" '{ print $field "\t" $0 }' "$2"; }
load() { /usr/lib/yp/makedbm -m "$master" "$@"; }

keyed 1 "$passwd" | load - passwd.byname
keyed 3 "$passwd" | load - passwd.byuid
keyed 1 "$group" | load - group.byname
keyed 3 "$group" | load - group.bygid
awk '{ for (n = 2; n <= NF; n++) print $n "\t" $0 }' "$hosts" | load -l - hosts.byname
awk '{ print $1 "\t" $0 }' "$hosts" | load - hosts.byaddr
printf '%s\t%s\n' "$master" "$master" | load - ypservers
# Before its first start there is no ypserv to tell.
/usr/lib/yp/makedbm -c 2>/dev/null || :
"#;
