//! Which workbooks there are.

use std::time::SystemTime;

use cap_std::fs::Dir;

use super::{WorkbookId, Workspace};

/// Entries that one scan looks at, at most: a mistaken `--workspace /` must not hang.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// Folders within folders that one scan enters, at most.
pub(super) const MAX_DEPTH: usize = 32;

/// A workbook of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The stable id.
    pub id: WorkbookId,
    /// The path within the workspace.
    pub path: String,
    /// The length in bytes.
    pub size: u64,
    /// The time of the last change.
    pub modified: Option<SystemTime>,
}

/// All workbooks, in the order of their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The workbooks.
    pub workbooks: Vec<Listed>,
    /// The scan met its bounds: there may be more.
    pub truncated: bool,
}

impl Workspace {
    /// Scans the folder.
    pub fn list(&self) -> Listing {
        let mut scan = Scan { workspace: self, listing: Listing::default(), entries: 0 };
        scan.folder(&self.folder, "", 0);
        let mut listing = scan.listing;
        listing.workbooks.sort_by(|left, right| left.path.cmp(&right.path));
        self.remember(&listing.workbooks);
        listing
    }
}

struct Scan<'a> {
    workspace: &'a Workspace,
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
            } else if self.workspace.rules.shows(&path) {
                self.file(path);
            }
        }
    }

    fn file(&mut self, path: String) {
        // Follows a symlink, from the workspace's folder and never out of it.
        let Ok(metadata) = self.workspace.folder.metadata(&path) else { return };
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
