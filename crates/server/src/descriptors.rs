//! How many files the server may have open: connections, workbooks and pipes to LibreOffice are files to the system.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as a busy server needs.
const WANTED: u64 = 65_536;

/// Raises the number of files that may be open to what a busy server needs, as far as the system lets it, and says aloud where
/// that is too few.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No number is no limit.
    let wanted = WANTED.min(maximum.unwrap_or(WANTED));
    let mut allowed = current.unwrap_or(u64::MAX);
    if allowed < wanted {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
            Ok(()) => allowed = wanted,
            Err(error) => tracing::warn!(%error, allowed, wanted, "the number of open files can't be raised"),
        }
    }
    if allowed < WANTED {
        tracing::warn!(
            allowed,
            wanted = WANTED,
            "few files may be open: raise the hard limit (LimitNOFILE= of systemd, --ulimit nofile= of a container, ulimit -Hn)"
        );
    }
}
