//! Which workbooks are in a folder.

use cap_std::fs::Dir;

use super::MAX_DEPTH;
use crate::workspace::{Listed, Listing, WorkbookId, WorkspaceRules, listing::MAX_ENTRIES};

/// Scans the folder.
pub(super) fn list(folder: &Dir, rules: &WorkspaceRules) -> Listing {
    let mut scan = Scan { root: folder, rules, listing: Listing::default(), entries: 0 };
    scan.folder(folder, "", 0);
    let mut listing = scan.listing;
    listing.workbooks.sort_by(|left, right| left.path.cmp(&right.path));
    listing
}

struct Scan<'a> {
    root: &'a Dir,
    rules: &'a WorkspaceRules,
    listing: Listing,
    entries: usize,
}

impl Scan<'_> {
    fn folder(&mut self, folder: &Dir, prefix: &str, depth: usize) {
        let Ok(entries) = folder.entries() else { return };
        for entry in entries.flatten() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES || depth > MAX_DEPTH {
                self.listing.truncated = true;
                return;
            }
            let file_name = entry.file_name();
            // A name that is not Unicode could not be named in a call.
            let Some(name) = file_name.to_str() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                // Symlinked folders are not entered: they may form a circle.
                if let Ok(inner) = entry.open_dir() {
                    self.folder(&inner, &format!("{path}/"), depth + 1);
                }
            } else if self.rules.shows(&path) {
                self.file(path);
            }
        }
    }

    fn file(&mut self, path: String) {
        // Follows a symlink, from the workspace's folder and never out of it.
        let Ok(metadata) = self.root.metadata(&path) else { return };
        if metadata.is_file() {
            self.listing.workbooks.push(Listed {
                id: WorkbookId::of(&path),
                path,
                size: metadata.len(),
                modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
            });
        }
    }
}
