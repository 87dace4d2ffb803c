//! The processes that a server has started.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// A process, as the kernel tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: u32,
    parent: u32,
    /// Time that it has worked so far, in ticks of 10 ms.
    pub(crate) ticks: u64,
    is_zombie: bool,
    pub(crate) command: String,
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// A process that runs, or has ended and is not reaped.
pub(crate) fn process(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<u64>().ok());
    Some(Process {
        id,
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks(11)? + ticks(12)?,
        is_zombie: fields.first() == Some(&"Z"),
        command: String::from_utf8_lossy(&command).replace('\0', " "),
    })
}

/// The most memory that a process has held so far.
pub(crate) fn peak_bytes(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// What a process has started, and what that has started.
pub(crate) fn below(id: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![id];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|process| process.parent == parent);
        parents.extend(children.clone().map(|child| child.id));
        found.extend(children.cloned());
    }
    found
}

/// The LibreOffices that work for a server whose temporary folder is given, one for each folder that they work in: one that
/// starts another program is two for a moment.
pub(crate) fn offices(temporary: &Path) -> Vec<Process> {
    let folder = |process: &Process| fs::read_link(format!("/proc/{}/cwd", process.id)).ok();
    let mut found = all();
    found.retain(|process| process.command.contains("/soffice.bin "));
    found.sort_unstable_by_key(|process| process.id);
    let mut folders: Vec<PathBuf> = Vec::new();
    found.retain(|process| match folder(process) {
        Some(folder) if folder.starts_with(temporary) && !folders.contains(&folder) => {
            folders.push(folder);
            true
        }
        _ => false,
    });
    found
}

/// Whether a LibreOffice has been given a document: it has started, and its server waits for the answer.
pub(crate) fn is_at_job(office: &Process) -> bool {
    let folder = fs::read_link(format!("/proc/{}/cwd", office.id));
    folder.is_ok_and(|folder| folder.join("document.xlsx").exists())
}

/// Nothing that a server has started waits to be reaped for long.
#[track_caller]
pub(crate) fn check_no_zombies(server: u32) {
    wait_for("there are zombies", || !below(server).iter().any(|process| process.is_zombie));
}

pub(crate) fn kill(process: &Process) {
    let killed = Command::new("kill").args(["-KILL", &process.id.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "{process:?}");
}

#[track_caller]
pub(crate) fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    wait_looking_every(Duration::from_millis(20), what, condition);
}

/// As [`wait_for`], for what does not last.
#[track_caller]
#[allow(dead_code, reason = "not all tests that look at processes wait for such things")]
pub(crate) fn wait_for_glimpse(what: &str, condition: impl FnMut() -> bool) {
    wait_looking_every(Duration::from_micros(500), what, condition);
}

#[track_caller]
fn wait_looking_every(pause: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(pause);
    }
}
