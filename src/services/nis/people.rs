//! Whom the domain knows: people of the front-end (not the system's own users, not nobody) with `*` for their password, and their
//! groups.

use std::{fs, io};

use landbridge_node::wire::People;

/// The front-end's users, passwd(5).
const PASSWD: &str = "/etc/passwd";
/// Its groups, group(5).
const GROUP: &str = "/etc/group";

/// The first id of people, and nobody's (Debian Policy, 9.2.2).
const FIRST: u32 = 1000;
const NOBODY: u32 = 65534;

/// More bytes than this don't travel in a worker's bundle: its looks go to the server, one by one.
const MOST: usize = 256 * 1024;

/// As the front-end's files have them now. An error names the file.
pub fn read() -> io::Result<People> {
    let bytes = |path: &str| fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")));
    Ok(of(&bytes(PASSWD)?, &bytes(GROUP)?))
}

/// For a worker's own table; `None` where there are too many, or somebody whom libnss-extrausers would leave out.
pub(super) fn table(people: &People) -> Option<People> {
    let fits = people.passwd.len() + people.group.len() <= MOST;
    (fits && people.passwd.lines().all(has_group_for_table)).then(|| people.clone())
}

/// Its README: a user whose own group is one of the system's, other than `users`, is ignored.
fn has_group_for_table(line: &str) -> bool {
    line.split(':').nth(3).and_then(|id| id.parse().ok()).is_some_and(|id: u32| id >= 500 || id == 100)
}

/// The files are in whatever encoding their administrator has.
fn of(passwd: &[u8], group: &[u8]) -> People {
    let kept = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().filter_map(without_password).collect();
    People { passwd: kept(passwd), group: kept(group) }
}

/// A line of either file, NAME:PASSWORD:ID:REST; `None` for the system's own, and for what is no such line.
fn without_password(line: &str) -> Option<String> {
    let mut fields = line.splitn(4, ':');
    let (name, _, id, rest) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_person = id.parse().is_ok_and(|id: u32| id >= FIRST && id != NOBODY);
    is_person.then(|| format!("{name}:*:{id}:{rest}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_known_by_their_ids_and_no_password_travels() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\n\
                       ada:$6$secret:1000:1000:Ada,,,:/home/ada:/bin/bash\n\
                       nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
                       +::::::\n\
                       \n";
        let group = b"root:x:0:\nada:x:1000:\nlab:!:2000:ada,bob\nnogroup:x:65534:\n";
        let people = of(passwd, group);
        assert_eq!(people.passwd, "ada:*:1000:1000:Ada,,,:/home/ada:/bin/bash\n");
        assert_eq!(people.group, "ada:*:1000:\nlab:*:2000:ada,bob\n");
    }

    #[test]
    fn a_name_in_an_old_encoding_hides_nobody() {
        let people = of(b"jose:x:1000:1000:Jos\xe9:/home/jose:/bin/sh\nada:x:1001:1001::/home/ada:/bin/sh\n", b"");
        assert_eq!(people.passwd.lines().count(), 2);
    }

    #[test]
    fn whom_the_workers_library_would_leave_out_is_asked_for_as_before() {
        let line = |group: u32| format!("eve:*:1001:{group}::/home/eve:/bin/sh\n");
        let has_table = |group| table(&People { passwd: line(group), group: String::new() }).is_some();
        assert_eq!([50, 100, 499, 500, 1001].map(has_table), [false, true, false, true, true]);
    }

    #[test]
    fn more_than_a_bundle_bears_are_asked_for_one_by_one() {
        let line = "ada:*:1000:1000:Ada,,,:/home/ada:/bin/bash\n";
        let few = People { passwd: line.repeat(100), group: String::new() };
        let many = People { passwd: line.repeat(10_000), group: String::new() };
        assert_eq!((table(&few).as_ref(), table(&many)), (Some(&few), None));
    }
}
