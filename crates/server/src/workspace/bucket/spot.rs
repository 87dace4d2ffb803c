//! Files that are written into a bucket.
//!
//! A file is written on this machine first, and becomes an object by one request under a condition: that there is none, or
//! that it still is what it was.

use std::{
    fs::File,
    io::{self, Seek as _},
    sync::Arc,
    thread,
    time::Duration,
};

use forks::Digest;
use objects::{ObjectError, Precondition, Version};
use tempfile::NamedTempFile;

use super::{Shared, failed};
use crate::{
    error::{ErrorCode, ToolError},
    forks::new_id,
    workspace::{
        FileIdentity, Mark, not_written,
        place::{Spot, Unpublished},
        target::{appeared, changed},
    },
};

/// How often a bucket is asked what became of a write, and after which pause.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// A key of a bucket.
#[derive(Debug)]
pub(super) struct ObjectSpot {
    path: String,
    shared: Arc<Shared>,
}

/// A file that is to become an object.
#[derive(Debug)]
struct Upload<'a> {
    spot: &'a ObjectSpot,
    file: NamedTempFile,
}

impl ObjectSpot {
    pub(super) fn new(path: &str, shared: Arc<Shared>) -> ObjectSpot {
        ObjectSpot { path: path.to_owned(), shared }
    }

    /// Whether what is there now was written with this note; `None` where the bucket does not say.
    fn is_ours(&self, note: &str) -> Option<bool> {
        for look in 0..LOOKS {
            if look > 0 {
                thread::sleep(PAUSE);
            }
            match self.shared.bucket().note(&self.path) {
                Ok((_, found)) => return Some(found.as_deref() == Some(note)),
                Err(ObjectError::NotFound { .. }) => return Some(false),
                Err(_) => {}
            }
        }
        None
    }
}

impl Spot for ObjectSpot {
    fn state(&self) -> Result<Option<FileIdentity>, ToolError> {
        self.shared.identity(&self.path)
    }

    fn open(&self) -> Result<File, ToolError> {
        let identity = self.state()?.ok_or_else(|| changed(&self.path))?;
        self.shared.fetch(&identity)
    }

    fn create(&self) -> Result<Box<dyn Unpublished + '_>, ToolError> {
        Ok(Box::new(Upload { spot: self, file: self.shared.contents.temporary()? }))
    }

    /// Stores have no condition for this: what is written between the look and the deletion goes with it.
    fn delete(&self, state: &FileIdentity) -> Result<(), ToolError> {
        if self.state()?.as_ref() != Some(state) {
            return Err(changed(&self.path));
        }
        let deleted = self.shared.bucket().delete(&self.path);
        self.shared.listing.forget();
        deleted.map_err(|error| failed(&error).at("path"))
    }
}

impl Upload<'_> {
    /// What the object is that was written, where the store tells its tag.
    fn identity(&self, version: Version) -> Option<FileIdentity> {
        version.etag.as_ref()?;
        let size = self.file.as_file().metadata().ok()?.len();
        Some(FileIdentity {
            path: self.spot.path.clone(),
            size,
            modified: None,
            mark: Mark::Version(version),
        })
    }

    /// Writes the object if the condition holds; `refused` is the answer if it does not. What became of a write whose answer
    /// was lost is looked up, so that neither a success is told as a failure nor the reverse.
    fn write(mut self, when: &Precondition, refused: ToolError) -> Result<Option<FileIdentity>, ToolError> {
        let ObjectSpot { path, shared } = self.spot;
        shared.conditions.check(shared.bucket(), when)?;
        let note = new_id("");
        let file = self.file.as_file_mut();
        file.rewind().map_err(|error| not_written(path, &error))?;
        let written = shared.bucket().put_with_note(path, file, when, &note);
        shared.listing.forget();
        let error = match written {
            Ok(version) => return Ok(self.identity(version)),
            Err(error) => error,
        };
        // A write that was repeated may have been refused because of its own first try.
        let may_have_happened =
            matches!(error, ObjectError::Changed { .. } | ObjectError::Unavailable { .. });
        if !may_have_happened {
            return Err(failed(&error).at("path"));
        }
        match self.spot.is_ours(&note) {
            Some(true) => Ok(None),
            Some(false) if matches!(error, ObjectError::Changed { .. }) => Err(refused),
            Some(false) => Err(failed(&error)
                .at("path")
                .hint("nothing was written as far as it tells; save again in a moment")),
            None => Err(ToolError::new(
                ErrorCode::WorkspaceUnavailable,
                format!(
                    "whether {path:?} was written is not known: {} does not answer",
                    shared.bucket().url()
                ),
            )
            .at("path")
            .hint("look at the file in a moment; save again if it is not what you saved")
            .retry_after(error.retry_after().map_or(2, |pause| pause.as_secs().max(1)))),
        }
    }
}

impl Unpublished for Upload<'_> {
    fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    fn finish(&mut self) -> Result<(Digest, u64), ToolError> {
        let failed = |error: io::Error| not_written(&self.spot.path, &error);
        let file = self.file.as_file_mut();
        file.rewind().map_err(failed)?;
        Digest::of_stream(file).map_err(failed)
    }

    fn publish(self: Box<Self>) -> Result<Option<FileIdentity>, ToolError> {
        let refused = appeared(&self.spot.path);
        (*self).write(&Precondition::Absent, refused)
    }

    fn replace(self: Box<Self>, state: &FileIdentity) -> Result<Option<FileIdentity>, ToolError> {
        let refused = changed(&self.spot.path);
        match &state.mark {
            Mark::Version(version) => (*self).write(&Precondition::Unchanged(version.clone()), refused),
            Mark::Inode(..) => Err(refused),
        }
    }
}
