//! Pictures that calls made: kept as files for a while, read as `screenshot://NAME`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use ::forks::Digest;

use crate::error::{ErrorCode, ToolError};

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

/// The folder of pictures. It is made when the first one is kept.
#[derive(Debug)]
pub struct Screenshots {
    folder: PathBuf,
}

impl Screenshots {
    /// Pictures in a folder.
    pub fn new(folder: PathBuf) -> Screenshots {
        Screenshots { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a picture for its owner; the same one is kept once. Gives its name.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn keep(&self, of: &str, owner: &str, png: &[u8]) -> Result<String, ToolError> {
        let digest = mark(owner, png);
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        let stem: String = of.chars().take(MAX_STEM).map(plain).collect();
        let name = format!("{}-{digest}.png", stem.trim_matches('-'));
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            let path = self.folder.join(&name);
            // Whoever reads it meanwhile sees a whole picture.
            let temporary = self.folder.join(format!("{name}.{}.part", std::process::id()));
            fs::write(&temporary, png)?;
            fs::rename(&temporary, path)
        });
        written.map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
                _ => ErrorCode::StateUnavailable,
            };
            ToolError::new(code, format!("the picture can't be kept: {error}"))
                .hint("let the server write to SPREADSHEET_MCP_SCREENSHOTS_DIR, or point it elsewhere")
        })?;
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
        let png = fs::read(self.folder.join(name)).map_err(|_| gone())?;
        let is_theirs = name.trim_end_matches(".png").ends_with(&mark(owner, &png));
        if is_theirs { Ok(png) } else { Err(gone()) }
    }

    /// Drops pictures, and what a crash left of them, that are older than `age`. Gives how many.
    pub(crate) fn clean(&self, age: Duration) -> u64 {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age_now = modified.ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
            let is_ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.ends_with(".png") || name.ends_with(".part"));
            is_ours && age_now.is_some_and(|now| now >= age)
        };
        entries.flatten().filter(is_old).filter(|entry| fs::remove_file(entry.path()).is_ok()).count() as u64
    }
}

/// What the name of a picture ends with: it tells the picture, and whose it is.
fn mark(owner: &str, png: &[u8]) -> String {
    let whole: Vec<u8> = owner.bytes().chain([0]).chain(png.iter().copied()).collect();
    Digest::of(&whole).to_string()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_kept_read_and_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = Screenshots::new(folder.path().join("screenshots"));
        let name = pictures.keep("Über uns!/a b.xlsx", "ada", b"png").expect("is kept");
        assert!(name.starts_with("ber-uns--a-b-xlsx-") && name.ends_with(".png"), "{name}");
        assert_eq!(pictures.read(&name, "ada").expect("is read"), b"png");
        assert_eq!(pictures.read(&name, "bob").expect_err("refused").code, ErrorCode::NotFound);
        for wrong in ["../../etc/passwd", "a/../b.png", ".png", "", "x.png"] {
            assert_eq!(pictures.read(wrong, "ada").expect_err("refused").code, ErrorCode::NotFound);
        }
        assert_eq!(pictures.clean(Duration::from_secs(60)), 0);
        assert_eq!(pictures.clean(Duration::ZERO), 1);
        assert!(pictures.read(&name, "ada").is_err());
    }
}
