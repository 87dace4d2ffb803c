//! Whether an upload is what its name says.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::Arc,
};

use ooxml::{FileKind, sniff};
use workbook::FileFormat;

use crate::{
    call::Call,
    config::UploadCheck,
    error::{ErrorCode, ToolError},
};

/// Bytes that tell what a file is.
const HEAD: u64 = 4_096;

/// Looks at a file that is to be at `path`, as the configuration says.
///
/// # Errors
/// When it is something else than its extension says, or does not open within the limits.
pub(super) fn check_content(call: &Call, file: &mut File, path: &str) -> Result<(), ToolError> {
    let unreadable = |error: io::Error| {
        ToolError::new(ErrorCode::FileUnreadable, format!("what arrived can't be read: {error}"))
            .hint("nothing was kept; send it again")
    };
    let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    file.rewind().map_err(unreadable)?;
    let mut head = Vec::new();
    (&mut *file).take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
    check_signature(&head, &extension)?;
    if call.context().config.files.upload_check == UploadCheck::Signature {
        return Ok(());
    }
    // All of it is in memory meanwhile.
    let _alone = call.files().one_at_a_time();
    call.check()?;
    call.check_memory()?;
    file.rewind().map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |metadata| metadata.len() as usize));
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    let book = call.read_workbook(Arc::from(bytes), path).map_err(|error| error.at("path"))?;
    match fits(book.format, &extension) {
        true => Ok(()),
        false => Err(other(&format!("a .{} file", book.format.extension()), &extension)),
    }
}

/// Whether a file may have that extension. Programs tell delimited texts apart by looking at them.
fn fits(format: FileFormat, extension: &str) -> bool {
    match format {
        FileFormat::Csv | FileFormat::Tsv => !matches!(kind_of(extension), Some(Kind::Zip | Kind::Compound)),
        other => other.extension() == extension || kind_of(extension).is_none(),
    }
}

/// What files of an extension are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    Compound,
    Text,
}

fn kind_of(extension: &str) -> Option<Kind> {
    match extension {
        "xlsx" | "xlsm" | "xltx" | "xltm" | "xlsb" | "ods" => Some(Kind::Zip),
        "xls" => Some(Kind::Compound),
        "csv" | "tsv" => Some(Kind::Text),
        _ => None,
    }
}

fn check_signature(head: &[u8], extension: &str) -> Result<(), ToolError> {
    // Of a compound file its beginning tells no more than that it is one.
    let is_compound = head.starts_with(b"\xD0\xCF\x11\xE0");
    let what = match (sniff(head), kind_of(extension)) {
        (FileKind::Zip, Some(Kind::Zip)) | (FileKind::Text, Some(Kind::Text)) => return Ok(()),
        (FileKind::Empty, Some(Kind::Text)) => return Ok(()),
        (_, Some(Kind::Compound)) if is_compound => return Ok(()),
        (FileKind::Known(what), _) => what,
        (_, None) => return Ok(()),
        (FileKind::Empty, _) => "nothing at all",
        (FileKind::Zip, _) => "a zip archive",
        (_, _) if is_compound => "a compound file: an .xls workbook, or one that needs a password",
        (FileKind::Text, _) => "text",
        _ => "something else",
    };
    Err(other(what, extension))
}

fn other(what: &str, extension: &str) -> ToolError {
    ToolError::new(ErrorCode::ContentRefused, format!("what arrived is {what}, and no .{extension} file"))
        .at("path")
        .hint("nothing was kept; send it under the extension that it has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(extension: &str, head: &[u8], is_taken: bool) {
        let told = check_signature(head, extension).map_err(|error| error.code);
        assert_eq!(told, if is_taken { Ok(()) } else { Err(ErrorCode::ContentRefused) }, "{extension}");
    }

    #[test]
    fn beginnings_tell_what_a_file_is() {
        check("xlsx", b"PK\x03\x04rest", true);
        check("ods", b"PK\x03\x04rest", true);
        check("xls", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", true);
        check("csv", b"a,b\n1,2\n", true);
        check("csv", b"", true);
        check("xlsx", b"a,b\n1,2\n", false);
        check("xlsx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", false);
        check("xls", b"PK\x03\x04rest", false);
        check("csv", b"PK\x03\x04rest", false);
        check("csv", b"%PDF-1.7", false);
        check("xlsx", b"", false);
        check("xlsx", b"\x7fELF\0\0\0", false);
    }

    #[test]
    fn formats_have_their_extensions() {
        assert!(
            fits(FileFormat::Xlsx, "xlsx") && fits(FileFormat::Tsv, "csv") && fits(FileFormat::Csv, "prn")
        );
        assert!(
            !fits(FileFormat::Xlsm, "xlsx")
                && !fits(FileFormat::Csv, "xlsx")
                && !fits(FileFormat::Ods, "xlsx")
        );
    }
}
