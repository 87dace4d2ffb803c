//! What crashed writers left beside the files that they were about to write.

use cap_std::fs::{Dir, DirEntry};

use super::{MAX_DEPTH, spot::TEMPORARY};
use crate::workspace::listing::MAX_ENTRIES;

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
                self.swept += u64::from(is_orphan(&entry) && entry.remove_file().is_ok());
            } else if kind.is_dir() && !name.starts_with('.') {
                // Symlinked folders are not entered, as in the listing; hidden ones are never written to.
                if let Ok(inner) = entry.open_dir() {
                    self.folder(&inner, depth + 1);
                }
            }
        }
    }
}

/// Its owner would hold a lock on it.
fn is_orphan(entry: &DirEntry) -> bool {
    entry.open().is_ok_and(|file| file.into_std().try_lock().is_ok())
}
