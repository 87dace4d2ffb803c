//! The disk that the server may take: for its state, for pictures, and for what LibreOffice works with.
//!
//! What may go goes before anybody is refused: forks whose time has passed and blobs that nothing needs, the oldest pictures, the
//! folders of LibreOffices that rest.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    call::{Call, Context},
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
};

/// For how long what was measured is believed at least; longer where measuring takes long.
const BELIEVED: Duration = Duration::from_secs(1);
/// Measuring takes at most one part in so many of the time.
const SHARE: u32 = 50;
/// For how long a blob is spared that nothing refers to yet, when room is needed: longer than a call may take.
const GRACE: Duration = Duration::from_secs(60);

/// What the server takes of the disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskUse {
    /// Forks with their logs and bases, and previous versions of files.
    pub state: u64,
    /// Pictures.
    pub screenshots: u64,
    /// What LibreOffice works with.
    pub temporary: u64,
}

/// The room of the file system that the state is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    /// What the server may still write.
    pub free: u64,
    /// All there is, full or not.
    pub size: u64,
}

/// Knows what the state takes, as of a moment ago.
#[derive(Debug, Default)]
pub struct DiskGuard {
    state: Mutex<Option<Measured>>,
}

impl DiskGuard {
    /// Counts what comes until it is measured again.
    fn grows(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(measured) = state.as_mut() {
            measured.bytes = measured.bytes.saturating_add(bytes);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    at: Instant,
    took: Duration,
    bytes: u64,
}

impl Context {
    /// What the server takes of the disk.
    pub fn disk_use(&self) -> DiskUse {
        DiskUse {
            state: self.state_bytes(),
            screenshots: self.screenshots.folder().map_or(0, bytes_below),
            temporary: bytes_below(self.recalc.scratch()),
        }
    }

    /// The room where the state is; nothing where the system does not tell.
    pub fn disk_room(&self) -> Option<DiskRoom> {
        room_of(self.forks.folder())
    }

    /// Bytes of what forks are made of: what the database holds, not what its files have room for.
    fn state_bytes(&self) -> u64 {
        let mut state = self.disk.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = *state
            && known.at.elapsed() < BELIEVED.max(known.took * SHARE)
        {
            return known.bytes;
        }
        let at = Instant::now();
        // What is in a bucket is not on this disk.
        let blobs = self.forks.blobs_folder().map_or(0, |folder| bytes_below(&folder));
        let bytes = blobs + self.forks.stored_bytes();
        *state = Some(Measured { at, took: at.elapsed(), bytes });
        bytes
    }

    /// Takes away of the state what may go. Gives how many bytes are left.
    fn shrink_state(&self, longest_call: Duration) -> u64 {
        if let Err(error) = self.forks.clean_within(self.config.state.keep_versions, GRACE + 2 * longest_call)
        {
            tracing::warn!(%error, "the state directory can't be cleaned");
        }
        *self.disk.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.state_bytes()
    }
}

impl Call {
    /// Whether the state may grow by so many bytes.
    ///
    /// # Errors
    /// When it takes as much as it may, also without what may go.
    pub(crate) fn check_state(&self, coming: u64) -> Result<(), ToolError> {
        let context = self.context();
        let most = match context.config.state.max_state_bytes {
            0 => return Ok(()),
            most => most,
        };
        let fits = |bytes: u64| bytes.saturating_add(coming) <= most;
        if fits(context.state_bytes()) {
            context.disk.grows(coming);
            return Ok(());
        }
        let bytes = context.shrink_state(self.config().limits.tool_timeout());
        if fits(bytes) {
            context.disk.grows(coming);
            return Ok(());
        }
        context.metrics.calls.rejected(Rejection::StateFull);
        Err(ToolError::new(
            ErrorCode::StorageFull,
            format!("the state takes {bytes} bytes and would take {coming} more, where it may take {most}; nothing was changed"),
        )
        .hint("discard forks that are not needed any more (list_forks, discard_fork), or have SPREADSHEET_MCP_MAX_STATE_BYTES raised"))
    }

    /// Whether LibreOffice may have more to work with.
    ///
    /// # Errors
    /// When it takes as much as it may, also without the folders of those that rest.
    pub(crate) fn check_scratch(&self) -> Result<(), ToolError> {
        let context = self.context();
        let most = match context.config.recalc.max_temporary_bytes {
            0 => return Ok(()),
            most => most,
        };
        let scratch = context.recalc.scratch();
        if bytes_below(scratch) < most {
            return Ok(());
        }
        context.recalc.office().end_idle();
        context.recalc.office().sweep();
        if bytes_below(scratch) < most {
            return Ok(());
        }
        Err(ToolError::new(
            ErrorCode::StorageFull,
            format!("LibreOffice takes the {most} bytes of disk that it may; nothing was changed"),
        )
        .hint("repeat it when other calls have ended, use engine auto, or have SPREADSHEET_MCP_MAX_TEMPORARY_BYTES raised")
        .retry_after(2))
    }
}

#[cfg(unix)]
fn room_of(folder: &Path) -> Option<DiskRoom> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Some(DiskRoom { free: bytes(stat.f_bavail), size: bytes(stat.f_blocks) })
}

#[cfg(not(unix))]
fn room_of(_: &Path) -> Option<DiskRoom> {
    None
}

/// Bytes of the files below a folder. What goes meanwhile is not counted.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let bytes = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
        _ => 0,
    };
    entries.flatten().map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_system_has_more_room_than_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room_of(folder.path()).expect("told");
        assert!(room.free > 0 && room.free <= room.size, "{room:?}");
        assert_eq!(room_of(&folder.path().join("nowhere")), None);
    }

    #[test]
    fn files_are_counted_wherever_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("a/b")).expect("made");
        for (file, bytes) in [("x", 3), ("a/y", 5), ("a/b/z", 7)] {
            fs::write(folder.path().join(file), vec![0; bytes]).expect("written");
        }
        assert_eq!(bytes_below(folder.path()), 15);
        assert_eq!(bytes_below(&folder.path().join("nowhere")), 0);
    }
}
