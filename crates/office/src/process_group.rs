//! A worker's processes as one: what they hold together, and the end of all of them.

use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// The processes that a worker consists of, by the process that leads them.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: libc::pid_t,
}

impl ProcessGroup {
    /// The group of a child that made itself the leader of one.
    pub(crate) fn led_by(child: &std::process::Child) -> ProcessGroup {
        // A process id fits: the kernel has it from a `pid_t`.
        ProcessGroup { leader: child.id() as libc::pid_t }
    }

    /// How many bytes of memory the group holds; pages that its processes share count for each.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let pages: u64 = self.members().map(|member| member.pages).sum();
        pages * page_size()
    }

    /// Kills every process of the group, and waits until none is left, not even as a zombie of ours.
    ///
    /// `false` when some are still there after a few seconds, which only a process stuck in the kernel brings about.
    pub(crate) fn end(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            // SAFETY: `kill` takes no pointers. The group is ours: its leader is our child, and was not reaped before
            // this loop does it, so that its number cannot have been given to others.
            let killed = unsafe { libc::kill(-self.leader, libc::SIGKILL) };
            if killed != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
                return true;
            }
            // In this order: a process that is dead may come to us only when its parent, which is older, is dead too.
            let is_dead = !self.members().any(|member| member.is_alive);
            if self.reap() && is_dead {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Reaps what is dead and ours, and says whether nothing in the group is ours any more.
    ///
    /// Where nobody else adopts orphans, as in a container that has us alone, the whole group comes to us. What others
    /// adopted they reap when they get to it.
    fn reap(&self) -> bool {
        loop {
            // SAFETY: the status may be null.
            match unsafe { libc::waitpid(-self.leader, std::ptr::null_mut(), libc::WNOHANG) } {
                0 => return false,
                -1 if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted => return true,
                _ => {}
            }
        }
    }

    fn members(&self) -> impl Iterator<Item = Member> {
        fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .filter_map(|stat| Member::of_stat(&stat))
            .filter(|member| member.group == self.leader)
    }
}

/// A process, as `/proc/…/stat` tells of it.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    /// Neither a zombie nor dead, with all of its threads.
    is_alive: bool,
    group: libc::pid_t,
    /// Resident pages.
    pages: u64,
}

impl Member {
    /// proc(5): state, process group, threads and resident pages are fields 3, 5, 20 and 24.
    fn of_stat(stat: &str) -> Option<Member> {
        // The second field is a name in brackets, which may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let is_dead = matches!(fields.next()?, "Z" | "X");
        let group = fields.nth(1)?.parse().ok()?;
        let threads: u32 = fields.nth(14)?.parse().ok()?;
        let pages = fields.nth(3)?.parse().ok()?;
        // The first thread may be dead while others are on their way.
        let is_alive = !is_dead || threads > 1;
        Some(Member { is_alive, group, pages })
    }
}

fn page_size() -> u64 {
    // SAFETY: `sysconf` takes no pointers.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_are_read_past_names_with_brackets() {
        let stat =
            "12 (a) b) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 100 2000 345 18446744073709551615 1 1";
        assert_eq!(Member::of_stat(stat), Some(Member { is_alive: true, group: 77, pages: 345 }));
    }

    #[test]
    fn this_process_holds_memory() {
        // SAFETY: `getpgrp` takes no arguments and cannot fail.
        let group = ProcessGroup { leader: unsafe { libc::getpgrp() } };
        assert!(group.resident_bytes() > 1 << 20);
    }
}
