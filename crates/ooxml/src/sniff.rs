//! What bytes are, whatever their name says.

use std::io::Cursor;

/// The kind of a file, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A zip: an OOXML or OpenDocument package, or another archive.
    Zip,
    /// A compound file with a `Workbook` stream: `.xls`.
    Xls,
    /// A compound file with an encrypted package in it.
    Encrypted,
    /// A compound file with something else in it.
    OtherCompoundFile,
    /// Text, as far as its first bytes tell.
    Text,
    /// Something known that is not a workbook; the text describes it with its article.
    Known(&'static str),
    /// Nothing at all.
    Empty,
    /// Bytes of no known kind.
    Unknown,
}

/// Looks at the first bytes, and into the directory of a compound file.
pub fn sniff(bytes: &[u8]) -> FileKind {
    const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    if bytes.is_empty() {
        return FileKind::Empty;
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return FileKind::Zip;
    }
    if bytes.starts_with(COMPOUND_FILE) {
        return compound_file(bytes);
    }
    let known: [(&[u8], &'static str); 13] = [
        (b"%PDF", "a PDF document"),
        (b"\x1F\x8B", "a gzip archive"),
        (b"7z\xBC\xAF", "a 7-Zip archive"),
        (b"Rar!", "a RAR archive"),
        (b"\x89PNG", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"SQLite format 3", "an SQLite database"),
        (b"PAR1", "a Parquet file"),
        (b"{\\rtf", "an RTF document"),
        // The first record of a bare BIFF stream (MS-XLS has its successors only).
        (b"\x09\x00\x04\x00", "an Excel 2 worksheet, older than .xls workbooks"),
        (b"\x09\x02\x06\x00", "an Excel 3 worksheet, older than .xls workbooks"),
        (b"\x09\x04\x06\x00", "an Excel 4 worksheet, older than .xls workbooks"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return FileKind::Known(what);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return FileKind::Text;
    }
    let head = &bytes[..bytes.len().min(4096)];
    if head.contains(&0) {
        return FileKind::Unknown;
    }
    markup(head)
}

fn markup(head: &[u8]) -> FileKind {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return FileKind::Known("an HTML page");
    }
    if text.contains("urn:schemas-microsoft-com:office:spreadsheet") {
        return FileKind::Known("a SpreadsheetML 2003 document");
    }
    if text.contains("<office:document") {
        return FileKind::Known("a flat OpenDocument file");
    }
    if text.starts_with("<?xml") {
        return FileKind::Known("an XML document");
    }
    FileKind::Text
}

fn compound_file(bytes: &[u8]) -> FileKind {
    let names: Vec<String> = match cfb::CompoundFile::open(Cursor::new(bytes)) {
        Ok(file) => file.read_root_storage().map(|entry| entry.name().to_owned()).collect(),
        // The directory is there even where a strict reader minds something else.
        Err(_) => ["EncryptedPackage", "Workbook", "Book"]
            .into_iter()
            .filter(|name| memchr::memmem::find(bytes, &utf16(name)).is_some())
            .map(str::to_owned)
            .collect(),
    };
    let has = |wanted: &[&str]| {
        names.iter().any(|name| wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
    };
    if has(&["EncryptedPackage", "EncryptionInfo"]) {
        FileKind::Encrypted
    } else if has(&["Workbook", "Book"]) {
        FileKind::Xls
    } else {
        FileKind::OtherCompoundFile
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_content() {
        for (bytes, kind) in [
            (&b""[..], FileKind::Empty),
            (b"PK\x03\x04rest", FileKind::Zip),
            (b"%PDF-1.7", FileKind::Known("a PDF document")),
            (b"  <!DOCTYPE html><html>", FileKind::Known("an HTML page")),
            (b"a,b\n1,2\n", FileKind::Text),
            (b"\xFF\xFEa\0,\0", FileKind::Text),
            (b"\x09\x04\x06\x00\x00\x00", FileKind::Known("an Excel 4 worksheet, older than .xls workbooks")),
            (b"\x00\x01\x02", FileKind::Unknown),
        ] {
            assert_eq!(sniff(bytes), kind);
        }
    }
}
