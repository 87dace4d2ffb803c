//! What a download is read from: a file of the workspace, a picture, or what is made for it.

use std::{
    fs::File,
    io::{Cursor, Read, Seek, SeekFrom},
    time::{Duration, SystemTime},
};

use ::forks::Digest;
use headers::ETag;

use super::{FileRequest, conditions::Known, made};
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    export::EXTENSIONS,
    open::ForkReference,
    screenshots,
    workspace::{FileIdentity, Mark, WorkbookId},
};

/// How the name of a picture begins.
pub(crate) const PICTURE: &str = "screenshot:";

/// Bytes that can be sent, and what is known of them.
pub(super) struct Source {
    pub(super) known: Known,
    /// What clients save it as.
    pub(super) file_name: String,
    bytes: Box<dyn Bytes>,
    /// The file, and what it was before it was read, if another program may write to it meanwhile.
    watched: Option<(File, Written)>,
}

/// What changes when a file is written to; whether it still has its name does not matter to who reads it.
type Written = (u64, Option<SystemTime>);

trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

impl Source {
    /// What a request names.
    ///
    /// # Errors
    /// When there is none in sight, or it can't be read or made.
    pub(super) fn open(call: &Call, asked: &FileRequest) -> Result<Source, ToolError> {
        let name = asked.name.as_str();
        if let Some(picture) = name.strip_prefix(PICTURE) {
            let png = call.screenshots().read(picture, &call.principal().gallery())?;
            let known =
                Known { etag: etag(&tag(&Digest::of(&png))), modified: None, length: png.len() as u64 };
            return Ok(Source {
                known,
                file_name: picture.to_owned(),
                bytes: Box::new(Cursor::new(png)),
                watched: None,
            });
        }
        if asked.export.is_some() || ForkReference::parse(name)?.is_some() {
            return made::made(call, asked);
        }
        let workspace = call.workspace();
        let found = match name.parse::<WorkbookId>() {
            Ok(_) => workspace.resolve(name)?,
            Err(_) => workspace.find(name, &EXTENSIONS)?,
        };
        let known = Known {
            etag: etag_of(&found.identity),
            modified: found.identity.modified,
            length: found.identity.size,
        };
        let file_name = found.path.rsplit('/').next().unwrap_or_default().to_owned();
        let file = found.open()?;
        let watched = file.try_clone().and_then(|file| Ok((written(&file)?, file)));
        let watched = watched.ok().map(|(written, file)| (file, written));
        Ok(Source { known, file_name, bytes: Box::new(file), watched })
    }

    /// What was made, as it is in a file that nobody else has.
    pub(super) fn of_made(mut file: File, file_name: String) -> std::io::Result<Source> {
        file.rewind()?;
        let (digest, length) = Digest::of_stream(&mut file)?;
        let known = Known { etag: etag(&tag(&digest)), modified: None, length };
        Ok(Source { known, file_name, bytes: Box::new(file), watched: None })
    }

    /// Goes to a position.
    pub(super) fn go_to(&mut self, position: u64) -> std::io::Result<()> {
        self.bytes.seek(SeekFrom::Start(position)).map(|_| ())
    }

    /// Reads what comes next.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.bytes.read(buffer)
    }

    /// Whether all that was read is what was found.
    ///
    /// # Errors
    /// When another program changed it.
    pub(super) fn check_unchanged(&self) -> Result<(), ToolError> {
        match &self.watched {
            Some((file, before)) if written(file).ok().as_ref() != Some(before) => {
                Err(ToolError::new(ErrorCode::FileChanging, "the file changed while it was read")
                    .hint("another program is writing it; try again in a moment"))
            }
            _ => Ok(()),
        }
    }

    /// The media type, by the extension.
    pub(super) fn content_type(&self) -> &'static str {
        let extension = self.file_name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xltx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
            "xlsm" => "application/vnd.ms-excel.sheet.macroEnabled.12",
            "xltm" => "application/vnd.ms-excel.template.macroEnabled.12",
            "xlsb" => "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
            "xls" => "application/vnd.ms-excel",
            "ods" => "application/vnd.oasis.opendocument.spreadsheet",
            "csv" => "text/csv",
            "tsv" => "text/tab-separated-values",
            "txt" => "text/plain",
            "json" => "application/json",
            "png" => screenshots::MIME_TYPE,
            _ => "application/octet-stream",
        }
    }
}

fn written(file: &File) -> std::io::Result<Written> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified().ok()))
}

/// The tag of a content as text, told by its length and by what tells it from others in its place: reading it would cost as much as
/// sending it. A file that is replaced or written to gets another one.
pub(crate) fn tag_of(identity: &FileIdentity) -> String {
    let since =
        |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_nanos();
    let modified = match &identity.mark {
        Mark::Inode(..) => identity.modified.map(since),
        // A bucket that is told of a write does not say when it took place.
        Mark::Version(_) => None,
    };
    tag(&Digest::of(format!("{} {modified:?} {:?}", identity.size, identity.mark).as_bytes()))
}

/// The tag of a content of the workspace.
pub(super) fn etag_of(identity: &FileIdentity) -> ETag {
    etag(&tag_of(identity))
}

fn tag(digest: &Digest) -> String {
    format!("\"{}\"", &digest.to_string()[..32])
}

fn etag(tag: &str) -> ETag {
    tag.parse().expect("invariant: hexadecimal digits in quotes are a tag")
}
