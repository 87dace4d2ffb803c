//! The place of backups: a folder, or a bucket.

use std::{
    collections::HashMap,
    fmt, fs,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use objects::{Bucket, ObjectError, Precondition};

use crate::{BackupError, BackupId, Manifest, manifest::FORMAT};

/// The folder of manifests.
const MANIFESTS: &str = "backups";
/// What the name of a manifest ends with.
const MANIFEST: &str = ".json";

/// Objects of a bucket that are listed at once.
const PAGE: usize = 1_000;

/// What is under a key, and its bytes.
pub(crate) type Source<'a> = (Box<dyn Read + 'a>, u64);

/// The place of backups.
#[derive(Debug, Clone)]
pub enum Repository {
    /// A folder.
    Folder(PathBuf),
    /// What is below a prefix of a bucket.
    Bucket(Box<Bucket>),
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Repository::Folder(folder) => folder.display().fmt(f),
            Repository::Bucket(bucket) => bucket.url().fmt(f),
        }
    }
}

impl Repository {
    /// That there is a place to look into: a folder is made by the first backup, and by nothing else.
    ///
    /// # Errors
    /// `NoPlace` where there is no folder.
    pub fn exists(&self) -> Result<(), BackupError> {
        match self {
            Repository::Folder(folder) if !folder.is_dir() => {
                Err(BackupError::NoPlace { place: self.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Whether nothing at all is there, of whatever kind: who looks for backups may look at the wrong place.
    ///
    /// # Errors
    /// When the place can't be read.
    pub fn is_blank(&self) -> Result<bool, BackupError> {
        match self {
            Repository::Folder(folder) => {
                let mut entries = fs::read_dir(folder).map_err(BackupError::at(folder.display()))?;
                Ok(entries.next().is_none())
            }
            Repository::Bucket(bucket) => Ok(bucket.list("", None, 1)?.is_empty()),
        }
    }

    /// The backups that there are, the latest first. Those that a program before this one wrote are among them.
    ///
    /// # Errors
    /// When the place can't be read, or a manifest is damaged.
    pub fn backups(&self) -> Result<Vec<Manifest>, BackupError> {
        let mut backups: Vec<Manifest> =
            self.ids()?.iter().map(|id| self.backup(id)).collect::<Result<_, _>>()?;
        // Names tell seconds only.
        backups.sort_by(|one, other| (other.created, &other.id).cmp(&(one.created, &one.id)));
        Ok(backups)
    }

    fn ids(&self) -> Result<Vec<BackupId>, BackupError> {
        let mut ids: Vec<BackupId> = Vec::new();
        for (key, _) in self.list(MANIFESTS)? {
            let name = key.rsplit('/').next().unwrap_or_default();
            if let Some(Ok(id)) = name.strip_suffix(MANIFEST).map(str::parse) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// The backup of that name.
    ///
    /// # Errors
    /// `NotFound`, `Damaged`, `NewerFormat`, or when the place can't be read.
    pub fn backup(&self, id: &BackupId) -> Result<Manifest, BackupError> {
        let key = manifest_key(id);
        let Some((mut source, _)) = self.open(&key)? else {
            return Err(BackupError::NotFound { id: id.to_string(), place: self.to_string() });
        };
        let mut text = String::new();
        source.read_to_string(&mut text).map_err(BackupError::at(&key))?;
        let damaged =
            |problem: String| BackupError::Damaged { id: id.to_string(), key: key.clone(), problem };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| damaged(format!("is no manifest: {error}")))?;
        match value["format"].as_u64().and_then(|format| u32::try_from(format).ok()) {
            Some(found) if found > FORMAT => {
                Err(BackupError::NewerFormat { id: id.to_string(), found, known: FORMAT })
            }
            _ => serde_json::from_value(value).map_err(|error| damaged(format!("is no manifest: {error}"))),
        }
    }

    /// The latest backup.
    ///
    /// # Errors
    /// `NotFound` when there is none, and as [`Repository::backup`].
    pub fn latest(&self) -> Result<Manifest, BackupError> {
        let none = || BackupError::NotFound { id: "at all".to_owned(), place: self.to_string() };
        self.backups()?.into_iter().next().ok_or_else(none)
    }

    /// How many bytes were written under each key that a manifest names. A manifest that cannot be read is left out: it must not keep
    /// the next backup from being made.
    pub(crate) fn sizes(&self) -> Result<HashMap<String, u64>, BackupError> {
        let mut sizes = HashMap::new();
        for id in self.ids()? {
            match self.backup(&id) {
                Ok(manifest) => {
                    sizes.extend(manifest.objects().map(|object| (object.key.clone(), object.size)));
                }
                Err(BackupError::Damaged { .. } | BackupError::NewerFormat { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sizes)
    }

    pub(crate) fn put_manifest(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let key = manifest_key(&manifest.id);
        let mut file = self.temporary()?;
        serde_json::to_writer_pretty(&mut file, manifest)
            .map_err(|error| BackupError::at(&key)(error.into()))?;
        self.put(&key, file)
    }

    pub(crate) fn delete_manifest(&self, id: &BackupId) -> Result<(), BackupError> {
        self.delete(&manifest_key(id))
    }

    /// A file to write to before it gets its key: on the file system of the folder, so that it is renamed and not copied.
    pub(crate) fn temporary(&self) -> Result<tempfile::NamedTempFile, BackupError> {
        match self {
            Repository::Folder(folder) => {
                fs::create_dir_all(folder).map_err(BackupError::at(folder.display()))?;
                tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder)
            }
            Repository::Bucket(_) => tempfile::NamedTempFile::new(),
        }
        .map_err(BackupError::at(self))
    }

    /// Gives what was written its key. It is durable when this returns.
    pub(crate) fn put(&self, key: &str, file: tempfile::NamedTempFile) -> Result<(), BackupError> {
        match self {
            Repository::Folder(folder) => {
                let path = folder.join(key);
                let parent = path.parent().unwrap_or(folder);
                fs::create_dir_all(parent).map_err(BackupError::at(parent.display()))?;
                file.as_file().sync_all().map_err(BackupError::at(path.display()))?;
                file.persist(&path).map_err(|error| BackupError::at(path.display())(error.error))?;
                let synced = File::open(parent).and_then(|folder| folder.sync_all());
                synced.map_err(BackupError::at(parent.display()))
            }
            Repository::Bucket(bucket) => {
                let mut written = file.reopen().map_err(BackupError::at(self))?;
                bucket.put_from(key, &mut written, &Precondition::None)?;
                Ok(())
            }
        }
    }

    /// What is under a key, and its bytes; `None` if there is nothing.
    pub(crate) fn open(&self, key: &str) -> Result<Option<Source<'_>>, BackupError> {
        match self {
            Repository::Folder(folder) => {
                let path = folder.join(key);
                match File::open(&path) {
                    Ok(file) => {
                        let size = file.metadata().map_err(BackupError::at(path.display()))?.len();
                        Ok(Some((Box::new(file), size)))
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(BackupError::at(path.display())(error)),
                }
            }
            Repository::Bucket(bucket) => {
                let mut file = tempfile::tempfile().map_err(BackupError::at("a temporary file"))?;
                match bucket.get_into(key, &mut file) {
                    Ok(_) => {
                        io::Seek::rewind(&mut file).map_err(BackupError::at("a temporary file"))?;
                        let size = file.metadata().map_err(BackupError::at("a temporary file"))?.len();
                        Ok(Some((Box::new(file), size)))
                    }
                    Err(ObjectError::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// The keys below a folder, with the bytes that are under them.
    pub(crate) fn list(&self, below: &str) -> Result<Vec<(String, u64)>, BackupError> {
        match self {
            Repository::Folder(folder) => {
                let mut found = Vec::new();
                walk(&folder.join(below), below, &mut found)?;
                Ok(found)
            }
            Repository::Bucket(bucket) => {
                let mut found: Vec<(String, u64)> = Vec::new();
                loop {
                    let after = found.last().map(|(key, _)| key.clone());
                    let page = bucket.list(below, after.as_deref(), PAGE)?;
                    let is_last = page.len() < PAGE;
                    found.extend(page.into_iter().map(|object| (object.key, object.size)));
                    if is_last {
                        return Ok(found);
                    }
                }
            }
        }
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), BackupError> {
        match self {
            Repository::Folder(folder) => match fs::remove_file(folder.join(key)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupError::at(key)(error)),
                _ => Ok(()),
            },
            Repository::Bucket(bucket) => Ok(bucket.delete(key)?),
        }
    }
}

fn manifest_key(id: &BackupId) -> String {
    format!("{MANIFESTS}/{id}{MANIFEST}")
}

fn walk(folder: &Path, key: &str, found: &mut Vec<(String, u64)>) -> Result<(), BackupError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::at(folder.display())(error)),
    };
    for entry in entries {
        let entry = entry.map_err(BackupError::at(folder.display()))?;
        let name = entry.file_name();
        let key = format!("{key}/{}", name.to_string_lossy());
        let metadata = entry.metadata().map_err(BackupError::at(&key))?;
        match metadata.is_dir() {
            true => walk(&entry.path(), &key, found)?,
            false => found.push((key, metadata.len())),
        }
    }
    Ok(())
}
