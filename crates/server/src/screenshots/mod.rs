//! Pictures that calls made: kept for a while, read as `screenshot://NAME`. They are files, or objects of the bucket of blobs, so
//! that a picture that one replica took is read from another one.

mod bucket;
mod folder;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ::forks::Digest;
use objects::Bucket;

use crate::error::{ErrorCode, ToolError};

use bucket::PictureBucket;
use folder::PictureFolder;

/// How a URI of a picture begins.
pub(crate) const SCHEME: &str = "screenshot://";
/// The MIME type of pictures.
pub(crate) const MIME_TYPE: &str = "image/png";
/// Characters of a name before its digest.
const MAX_STEM: usize = 40;

/// A picture that a call made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file's name.
    pub name: String,
    /// The PNG.
    pub png: Vec<u8>,
    /// Whether it is small enough to travel with the answer.
    pub is_inline: bool,
}

impl Picture {
    /// The URI that it is read by.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}", self.name)
    }
}

/// The pictures that are kept.
#[derive(Debug)]
pub struct Screenshots {
    place: Place,
    /// Bytes of pictures that are kept.
    max_bytes: u64,
}

#[derive(Debug)]
enum Place {
    Folder(PictureFolder),
    Bucket(Box<PictureBucket>),
}

impl Screenshots {
    /// Pictures in a folder, of so many bytes at most; 0 for any number. It is made when the first one is kept.
    pub fn new(folder: PathBuf, max_bytes: u64) -> Screenshots {
        let max_bytes = bound(max_bytes);
        Screenshots { place: Place::Folder(PictureFolder::new(folder, max_bytes)), max_bytes }
    }

    /// Pictures in a bucket; so many bytes stay when it is cleaned, 0 for any number.
    pub fn in_bucket(bucket: Bucket, max_bytes: u64) -> Screenshots {
        let max_bytes = bound(max_bytes);
        Screenshots { place: Place::Bucket(Box::new(PictureBucket::new(bucket, max_bytes))), max_bytes }
    }

    /// The folder, if they are files.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder.folder()),
            Place::Bucket(_) => None,
        }
    }

    /// Keeps a picture for its owner; the same one is kept once. Gives its name.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn keep(&self, of: &str, owner: &str, png: &[u8]) -> Result<String, ToolError> {
        let bytes = png.len() as u64;
        if bytes > self.max_bytes {
            return Err(ToolError::new(
                ErrorCode::StorageFull,
                format!("the picture has {bytes} bytes, more than the {} of all pictures", self.max_bytes),
            )
            .hint("ask for a smaller range or scale, or have SPREADSHEET_MCP_MAX_SCREENSHOT_BYTES raised"));
        }
        let digest = mark(owner, png);
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        let stem: String = of.chars().take(MAX_STEM).map(plain).collect();
        let name = format!("{}-{digest}.png", stem.trim_matches('-'));
        match &self.place {
            Place::Folder(folder) => folder.keep(&name, png)?,
            Place::Bucket(bucket) => bucket.keep(&name, png)?,
        }
        Ok(name)
    }

    /// The bytes of a picture of an owner's.
    ///
    /// # Errors
    /// When they have none of that name (any more).
    pub(crate) fn read(&self, name: &str, owner: &str) -> Result<Vec<u8>, ToolError> {
        let gone = || {
            ToolError::new(ErrorCode::NotFound, format!("there is no picture \"{name}\""))
                .at("uri")
                .hint("pictures are dropped after a while; take it again with screenshot_sheet")
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let is_name =
            name.strip_suffix(".png").is_some_and(|stem| !stem.is_empty() && stem.chars().all(is_plain));
        if !is_name {
            return Err(gone());
        }
        let png = match &self.place {
            Place::Folder(folder) => folder.read(name),
            Place::Bucket(bucket) => bucket.read(name)?,
        };
        let is_theirs = |png: &Vec<u8>| name.trim_end_matches(".png").ends_with(&mark(owner, png));
        png.filter(is_theirs).ok_or_else(gone)
    }

    /// Drops pictures that are older than `age`, and what a crash left of any. Gives how many files or objects that were.
    pub(crate) fn clean(&self, age: Duration) -> u64 {
        match &self.place {
            Place::Folder(folder) => folder.clean(age),
            Place::Bucket(bucket) => bucket.clean(age),
        }
    }
}

fn bound(max_bytes: u64) -> u64 {
    if max_bytes == 0 { u64::MAX } else { max_bytes }
}

/// What the name of a picture ends with: it tells the picture, and whose it is.
fn mark(owner: &str, png: &[u8]) -> String {
    let whole: Vec<u8> = owner.bytes().chain([0]).chain(png.iter().copied()).collect();
    Digest::of(&whole).to_string()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, fs::File, time::SystemTime};

    use super::*;

    #[test]
    fn the_oldest_pictures_give_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = Screenshots::new(folder.path().to_owned(), 100);
        let keep = |number: u8| {
            let name = pictures.keep("a", "ada", &[number; 40]).expect("is kept");
            // As old as their numbers say, whatever the resolution of the file system's clock.
            let file = File::options().append(true).open(folder.path().join(&name)).expect("opens");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(number.into())).expect("set");
            name
        };
        let names: Vec<String> = (1..=4).map(keep).collect();
        let is_kept = |name: &String| pictures.read(name, "ada").is_ok();
        assert_eq!(names.iter().map(is_kept).collect::<Vec<bool>>(), [false, false, true, true]);
        assert_eq!(pictures.keep("a", "ada", &[0; 101]).expect_err("too large").code, ErrorCode::StorageFull);
    }

    #[test]
    fn pictures_are_kept_read_and_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = Screenshots::new(folder.path().join("screenshots"), 0);
        let name = pictures.keep("Über uns!/a b.xlsx", "ada", b"png").expect("is kept");
        assert!(name.starts_with("ber-uns--a-b-xlsx-") && name.ends_with(".png"), "{name}");
        assert_eq!(pictures.read(&name, "ada").expect("is read"), b"png");
        assert_eq!(pictures.read(&name, "bob").expect_err("refused").code, ErrorCode::NotFound);
        for wrong in ["../../etc/passwd", "a/../b.png", ".png", "", "x.png"] {
            assert_eq!(pictures.read(wrong, "ada").expect_err("refused").code, ErrorCode::NotFound);
        }
        assert_eq!(pictures.clean(Duration::from_secs(60)), 0);
        let path = folder.path().join("screenshots");
        let (written, file) = PictureFolder::new(path.clone(), 0).temporary("a.png").expect("is made");
        fs::write(path.join("b.png.1-1.part"), "left by a crash").expect("written");
        assert_eq!(pictures.clean(Duration::from_secs(60)), 1);
        assert!(written.exists() && pictures.read(&name, "ada").is_ok());
        drop(file);
        assert_eq!(pictures.clean(Duration::ZERO), 2);
        assert!(pictures.read(&name, "ada").is_err());
    }
}
