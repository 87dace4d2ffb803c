//! Files below a prefix of a bucket.
//!
//! A path is a key. An object is looked at by a request whenever somebody asks for it, so that nothing old is taken for new
//! (FRESH); while the bucket does not answer, nobody is told anything of a file. Bytes are kept on the disk by what tells one
//! content from another, and are never old.

mod conditions;
mod contents;
mod listing;
mod spot;

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use objects::{Bucket, Object, ObjectError};

use super::{
    FileIdentity, Listing, Mark, WorkspaceRules,
    file::changing,
    place::{Content, Place, Refusal, Spot},
};
use crate::{
    buckets::{UsedBucket, told},
    error::{ErrorCode, ToolError},
};

use self::{conditions::Conditions, contents::Contents, listing::KeptListing};

/// How a bucket is kept on this machine.
#[derive(Debug, Clone, Copy)]
pub struct BucketOptions<'a> {
    /// The folder of bytes that were read.
    pub cache: &'a Path,
    /// How many bytes it may hold.
    pub cache_bytes: u64,
    /// For how long a listing is told again.
    pub keep_listing: Duration,
}

/// How often a bucket had to be asked, and what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketCounts {
    /// Listings that were made.
    pub listings: u64,
    /// Contents that were on the disk.
    pub hits: u64,
    /// Contents that had to be read.
    pub misses: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Workbooks below a prefix of a bucket.
#[derive(Debug)]
pub(super) struct Objects {
    shared: Arc<Shared>,
}

/// What files, and places for files, use of it.
#[derive(Debug)]
struct Shared {
    used: Arc<UsedBucket>,
    contents: Contents,
    listing: KeptListing,
    conditions: Conditions,
}

impl Objects {
    /// Uses a bucket; no request is made yet.
    pub(super) fn new(used: Arc<UsedBucket>, options: &BucketOptions<'_>) -> Objects {
        let shared = Shared {
            used,
            contents: Contents::new(options.cache, options.cache_bytes),
            listing: KeptListing::new(options.keep_listing),
            conditions: Conditions::default(),
        };
        Objects { shared: Arc::new(shared) }
    }

    /// Refuses what no object can be named, before the store is asked.
    fn check_length(&self, path: &str, place: &'static str) -> Result<(), Refusal> {
        if self.shared.bucket().has_room_for(path) {
            return Ok(());
        }
        let told = "the path is longer than a key of a bucket can be: 1024 bytes, the prefix included";
        let error = ToolError::new(ErrorCode::InvalidArgument, told).at(place);
        Err(Refusal::Failed(error.hint("use a path from list_workbooks, or a shorter one")))
    }
}

impl Place for Objects {
    fn list(&self, rules: &WorkspaceRules) -> Result<Listing, ToolError> {
        let shared = &self.shared;
        shared.listing.get(|| listing::list(shared.bucket(), rules)).map_err(|error| failed(&error))
    }

    fn find(&self, path: &str) -> Result<(FileIdentity, Box<dyn Content>), Refusal> {
        self.check_length(path, "workbook")?;
        if !may_be_key(path) {
            return Err(Refusal::NotThere);
        }
        let identity = self.shared.identity(path).map_err(Refusal::Failed)?.ok_or(Refusal::NotThere)?;
        let shared = Arc::clone(&self.shared);
        Ok((identity.clone(), Box::new(Found { shared, identity })))
    }

    fn spot(&self, path: &str) -> Result<Box<dyn Spot>, Refusal> {
        self.check_length(path, "path")?;
        if !may_be_key(path) {
            let told = format!("{path:?} has characters that no name in a bucket has");
            let error = ToolError::new(ErrorCode::InvalidArgument, told).at("path");
            return Err(Refusal::Failed(error.hint("save to a path without control characters")));
        }
        Ok(Box::new(spot::ObjectSpot::new(path, Arc::clone(&self.shared))))
    }

    fn check_readable(&self) -> Result<(), String> {
        self.shared.used.check()?;
        self.shared.contents.check_writable()
    }

    fn sweep(&self) -> u64 {
        self.shared.contents.sweep()
    }

    fn counts(&self) -> Option<BucketCounts> {
        let shared = &self.shared;
        let (hits, misses) = shared.contents.counts();
        Some(BucketCounts { listings: shared.listing.lists(), hits, misses, bytes: shared.contents.bytes() })
    }
}

/// Stores take other names as well, and we could not ask for them.
fn may_be_key(path: &str) -> bool {
    !path.chars().any(char::is_control)
}

impl Shared {
    fn bucket(&self) -> &Bucket {
        &self.used.bucket
    }

    /// What is under a key now.
    fn identity(&self, path: &str) -> Result<Option<FileIdentity>, ToolError> {
        match self.bucket().head(path) {
            Ok(object) => Ok(Some(FileIdentity::of_object(path, &object))),
            Err(ObjectError::NotFound { .. }) => match self.used.no_bucket() {
                None => Ok(None),
                Some(error) => Err(failed(&error)),
            },
            Err(error) => Err(failed(&error)),
        }
    }

    /// A file of this machine with the bytes of one content of an object.
    fn fetch(&self, identity: &FileIdentity) -> Result<File, ToolError> {
        self.contents.get(self.bucket().url(), identity, |to| {
            match self.bucket().get_into(&identity.path, to) {
                Ok(object) if FileIdentity::of_object(&identity.path, &object) == *identity => Ok(()),
                Ok(_) | Err(ObjectError::NotFound { .. }) => Err(changing(&identity.path)),
                Err(error) => Err(failed(&error)),
            }
        })
    }
}

/// An object that was looked at.
#[derive(Debug)]
struct Found {
    shared: Arc<Shared>,
    identity: FileIdentity,
}

impl Content for Found {
    fn open(&self) -> Result<File, ToolError> {
        self.shared.fetch(&self.identity)
    }

    /// An answer holds the bytes of one version.
    fn is_unchanged(&self, _: &FileIdentity) -> bool {
        true
    }
}

impl FileIdentity {
    fn of_object(path: &str, object: &Object) -> FileIdentity {
        FileIdentity {
            path: path.to_owned(),
            size: object.size,
            modified: Some(object.modified),
            mark: Mark::Version(object.version.clone()),
        }
    }
}

/// What an error of the store means for a call.
fn failed(error: &ObjectError) -> ToolError {
    let code = match error {
        ObjectError::Unavailable { .. } | ObjectError::Suspended { .. } => ErrorCode::WorkspaceUnavailable,
        ObjectError::Denied { .. }
        | ObjectError::NoBucket { .. }
        | ObjectError::Refused { .. }
        | ObjectError::Unsupported { .. }
        | ObjectError::NotFound { .. }
        | ObjectError::Changed { .. }
        | ObjectError::Source { .. } => ErrorCode::FileUnreadable,
    };
    told(error, code)
}
