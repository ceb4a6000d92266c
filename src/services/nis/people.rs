//! Whom the domain knows: people of the front-end (not the system's own users, not nobody) with `*` for their password, and their
//! groups.

use std::path::Path;
use std::{fs, io};

use landbridge_node::wire::People;

/// The front-end's users, passwd(5).
pub const PASSWD: &str = "/etc/passwd";
/// Its groups, group(5).
pub const GROUP: &str = "/etc/group";

/// The first id of people, and nobody's (Debian Policy, 9.2.2).
const FIRST: u32 = 1000;
const NOBODY: u32 = 65534;

/// More bytes than this don't travel in a worker's bundle: its looks go to the server, one by one.
const MOST: usize = 256 * 1024;

/// As the front-end's files have them now.
pub fn read() -> io::Result<People> {
    Ok(of(&fs::read_to_string(Path::new(PASSWD))?, &fs::read_to_string(Path::new(GROUP))?))
}

/// For a worker's own table; `None` where there are too many.
pub(super) fn table(people: &People) -> Option<People> {
    (people.passwd.len() + people.group.len() <= MOST).then(|| people.clone())
}

fn of(passwd: &str, group: &str) -> People {
    let kept = |text: &str| text.lines().filter_map(without_password).collect();
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
        let passwd = "root:x:0:0:root:/root:/bin/bash\n\
                      ada:$6$secret:1000:1000:Ada,,,:/home/ada:/bin/bash\n\
                      nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
                      +::::::\n\
                      \n";
        let group = "root:x:0:\nada:x:1000:\nlab:!:2000:ada,bob\nnogroup:x:65534:\n";
        let people = of(passwd, group);
        assert_eq!(people.passwd, "ada:*:1000:1000:Ada,,,:/home/ada:/bin/bash\n");
        assert_eq!(people.group, "ada:*:1000:\nlab:*:2000:ada,bob\n");
    }

    #[test]
    fn more_than_a_bundle_bears_are_asked_for_one_by_one() {
        let line = "ada:*:1000:1000:Ada,,,:/home/ada:/bin/bash\n";
        let few = People { passwd: line.repeat(100), group: String::new() };
        let many = People { passwd: line.repeat(10_000), group: String::new() };
        assert_eq!((table(&few).as_ref(), table(&many)), (Some(&few), None));
    }
}
