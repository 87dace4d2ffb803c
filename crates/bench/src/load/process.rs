//! What the system says of processes.

use std::time::Duration;

use anyhow::{Context, Result};
use procfs::process::{Process, all_processes};

/// The time that a process has computed, user and system, without those that it started.
pub(super) fn cpu(id: u32) -> Result<Duration> {
    let stat = process(id)?.stat()?;
    Ok(time(stat.utime + stat.stime))
}

/// The time that a process and all that it started have computed, also those that have ended.
pub(super) fn cpu_of_all(id: u32) -> Result<Duration> {
    // One that ends meanwhile is counted by who started it.
    let stats =
        std::iter::once(process(id)?).chain(descendants(id)?).filter_map(|process| process.stat().ok());
    let ticks = stats.map(|stat| stat.utime + stat.stime + (stat.cutime + stat.cstime).unsigned_abs());
    Ok(time(ticks.sum()))
}

/// The memory of a process that is resident, in bytes.
pub(super) fn resident(id: u32) -> Result<u64> {
    Ok(process(id)?.statm()?.resident * procfs::page_size())
}

/// The memory of all processes that a process started, in bytes; what they share is counted once.
pub(super) fn memory_of_descendants(id: u32) -> Result<u64> {
    // One may end meanwhile.
    let rollups = descendants(id)?.into_iter().filter_map(|process| process.smaps_rollup().ok());
    let maps = rollups.flat_map(|rollup| rollup.memory_map_rollup);
    Ok(maps.filter_map(|map| map.extension.map.get("Pss").copied()).sum())
}

/// The file descriptors that a process has open.
pub(super) fn descriptors(id: u32) -> Result<usize> {
    Ok(process(id)?.fd_count()?)
}

fn process(id: u32) -> Result<Process> {
    Process::new(id.try_into()?).with_context(|| format!("no process {id}"))
}

fn descendants(id: u32) -> Result<Vec<Process>> {
    let mut others: Vec<(Process, i32)> = all_processes()?
        .filter_map(|process| {
            let process = process.ok()?;
            let parent = process.stat().ok()?.ppid;
            Some((process, parent))
        })
        .collect();
    let mut parents = vec![i32::try_from(id)?];
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        for (process, _) in others.extract_if(.., |(_, of)| *of == parent) {
            parents.push(process.pid);
            found.push(process);
        }
    }
    Ok(found)
}

fn time(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / procfs::ticks_per_second() as f64)
}
