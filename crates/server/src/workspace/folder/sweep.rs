//! What crashed writers left beside the files that they were about to write.
//!
//! A writer holds a lock on its file. Locks are seen by all processes of one machine, and not everywhere by those of others
//! that share the folder: what these left is old before it goes.

use std::{sync::LazyLock, time::Duration};

use cap_std::fs::{Dir, DirEntry};

use super::MAX_DEPTH;
use crate::{forks::new_id, workspace::listing::MAX_ENTRIES};

/// What the names of files that are still being written begin with.
const TEMPORARY: &str = ".spreadsheet-mcp-";

/// No file is written for longer.
const WRITTEN_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What the names of this machine's files begin with, until it starts anew; where that is not known, any machine's.
static OURS: LazyLock<String> = LazyLock::new(|| {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot: String = boot.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    format!("{TEMPORARY}{boot}")
});

/// A name for a file that is about to be written.
pub(super) fn temporary_name() -> String {
    new_id(&format!("{}-", *OURS))
}

/// Deletes files that were being written by a process that is gone. Gives how many that were.
pub(super) fn sweep(folder: &Dir) -> u64 {
    let mut sweep = Sweep { entries: 0, swept: 0 };
    sweep.folder(folder, 0);
    sweep.swept
}

struct Sweep {
    entries: usize,
    swept: u64,
}

impl Sweep {
    fn folder(&mut self, folder: &Dir, depth: usize) {
        let Ok(entries) = folder.entries() else { return };
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES || depth > MAX_DEPTH {
                return;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if kind.is_file() && name.starts_with(TEMPORARY) {
                let is_orphan = is_unlocked(&entry) && (name.starts_with(OURS.as_str()) || is_old(&entry));
                self.swept += u64::from(is_orphan && entry.remove_file().is_ok());
            } else if kind.is_dir() && !name.starts_with('.') {
                // Symlinked folders are not entered, as in the listing; hidden ones are never written to.
                if let Ok(inner) = entry.open_dir() {
                    self.folder(&inner, depth + 1);
                }
            }
        }
    }
}

fn is_old(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.into_std().elapsed().is_ok_and(|age| age > WRITTEN_WITHIN))
}

/// Its owner would hold a lock on it.
fn is_unlocked(entry: &DirEntry) -> bool {
    entry.open().is_ok_and(|file| file.into_std().try_lock().is_ok())
}
