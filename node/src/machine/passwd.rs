//! Users of the machine's own passwd file. Read directly: a static program can't load the C library's name services.

use std::path::Path;

use super::StepError;

const PASSWD: &str = "/etc/passwd";

/// A user's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub uid: u32,
    pub gid: u32,
}

/// The machine's passwd file.
#[derive(Clone, Debug, Default)]
pub(super) struct Passwd(String);

impl Passwd {
    /// Reads it.
    pub(super) fn read() -> Result<Self, StepError> {
        std::fs::read_to_string(PASSWD).map(Self).map_err(StepError::io("reading", Path::new(PASSWD)))
    }

    /// Looks `name` up; `None` is root. The error says what to do.
    pub(super) fn user(&self, name: Option<&str>) -> Result<User, String> {
        match name {
            None => Ok(User { uid: 0, gid: 0 }),
            Some(name) => find(&self.0, name)
                .ok_or_else(|| format!("{PASSWD} has no user {name}; install the package that brings it")),
        }
    }
}

fn find(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let mut numbers = fields.skip(1).map(|field| field.parse().ok());
        Some(User { uid: numbers.next()??, gid: numbers.next()?? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nmalformed\nsgeadmin:x:104:111::/var/lib/gridengine:/bin/sh\n";
        assert_eq!(find(passwd, "sgeadmin"), Some(User { uid: 104, gid: 111 }));
        assert_eq!(find(passwd, "sge"), None);
        assert_eq!(find(passwd, "malformed"), None);
    }
}
