//! A VBA project: a compound file with a directory of modules, and a stream for each (MS-OVBA §2.2, §2.3.4).

use std::io::{Cursor, Read};

use cfb::CompoundFile;
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};

use crate::error::OpenError;
use crate::vba::compression::{Broken, decompress};
use crate::vba::{VbaModule, VbaModuleKind};

/// Bytes of all modules together; no project comes near.
const MAX_SOURCE_BYTES: usize = 32 << 20;

/// What the directory says of a module.
#[derive(Default)]
struct Entry {
    name: String,
    stream: String,
    offset: usize,
    is_procedural: bool,
}

/// The modules of a project.
pub(super) fn modules(part: &str, bytes: &[u8]) -> Result<Vec<VbaModule>, OpenError> {
    let damaged = |problem: &str| OpenError::Damaged { part: part.to_owned(), problem: problem.to_owned() };
    let too_large = || damaged("its macros have more than 32 MB of source");
    let mut file = CompoundFile::open(Cursor::new(bytes)).map_err(|error| damaged(&error.to_string()))?;
    let directory = stream(&mut file, "dir", bytes.len()).ok_or_else(|| damaged("it has no directory"))?;
    let directory = decompress(&directory, MAX_SOURCE_BYTES).map_err(|broken| match broken {
        Broken::Format => damaged("its directory is damaged"),
        Broken::TooLarge => too_large(),
    })?;
    let (encoding, entries) = directory_entries(&directory);
    let mut left = MAX_SOURCE_BYTES;
    let mut modules = Vec::with_capacity(entries.len());
    for entry in entries {
        let compressed = stream(&mut file, &entry.stream, bytes.len());
        let compressed = compressed.as_deref().and_then(|stream| stream.get(entry.offset..));
        let source = match compressed.map(|compressed| decompress(compressed, left)) {
            Some(Ok(source)) => Some(source),
            Some(Err(Broken::TooLarge)) => return Err(too_large()),
            Some(Err(Broken::Format)) | None => None,
        };
        left -= source.as_ref().map_or(0, Vec::len);
        modules.push(VbaModule {
            name: entry.name,
            kind: if entry.is_procedural {
                VbaModuleKind::Procedural
            } else {
                VbaModuleKind::ClassOrDocument
            },
            source: source.map(|source| as_shown(&encoding.decode_without_bom_handling(&source).0)),
        });
    }
    Ok(modules)
}

/// A stream of the project's `VBA` storage.
fn stream(file: &mut CompoundFile<Cursor<&[u8]>>, name: &str, most: usize) -> Option<Vec<u8>> {
    let stream = file.open_stream(format!("/VBA/{name}")).ok()?;
    let mut bytes = Vec::new();
    // A stream is never longer than the file that holds it.
    stream.take(most as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The code page, and the modules, of a decompressed directory: records of an id, a length and a body.
fn directory_entries(mut rest: &[u8]) -> (&'static Encoding, Vec<Entry>) {
    const CODE_PAGE: u16 = 0x03;
    const VERSION: u16 = 0x09;
    const MODULE_NAME: u16 = 0x19;
    const MODULE_NAME_UNICODE: u16 = 0x47;
    const STREAM_NAME: u16 = 0x1A;
    const STREAM_NAME_UNICODE: u16 = 0x32;
    const MODULE_OFFSET: u16 = 0x31;
    const PROCEDURAL: u16 = 0x21;
    let mut encoding = WINDOWS_1252;
    let mut entries: Vec<Entry> = Vec::new();
    while let Some((header, behind)) = rest.split_at_checked(6) {
        let id = u16::from_le_bytes([header[0], header[1]]);
        let length = u32::from_le_bytes([header[2], header[3], header[4], header[5]]) as usize;
        // The version's length is a constant that does not count its minor number (§2.3.4.2.1.11).
        let length = if id == VERSION { 6 } else { length };
        let Some((body, next)) = behind.split_at_checked(length) else { break };
        rest = next;
        let text = |encoding: &'static Encoding| encoding.decode_without_bom_handling(body).0.into_owned();
        if id == CODE_PAGE && body.len() >= 2 {
            encoding = code_page(u16::from_le_bytes([body[0], body[1]]));
        }
        if id == MODULE_NAME {
            entries.push(Entry { name: text(encoding), ..Entry::default() });
        }
        let Some(entry) = entries.last_mut() else { continue };
        match id {
            MODULE_NAME_UNICODE if !body.is_empty() => entry.name = text(UTF_16LE),
            STREAM_NAME => entry.stream = text(encoding),
            STREAM_NAME_UNICODE if !body.is_empty() => entry.stream = text(UTF_16LE),
            MODULE_OFFSET if body.len() >= 4 => {
                entry.offset = u32::from_le_bytes([body[0], body[1], body[2], body[3]]) as usize;
            }
            PROCEDURAL => entry.is_procedural = true,
            _ => {}
        }
    }
    (encoding, entries)
}

/// The encoding of a Windows code page.
fn code_page(number: u16) -> &'static Encoding {
    let label = match number {
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        1250..=1258 => {
            return Encoding::for_label(format!("windows-{number}").as_bytes()).unwrap_or(WINDOWS_1252);
        }
        10000 => "macintosh",
        65001 => "utf-8",
        _ => "windows-1252",
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252)
}

/// The source as the editor shows it.
fn as_shown(source: &str) -> String {
    let is_hidden = |line: &&str| line.starts_with("Attribute ") && line.contains("VB_");
    let lines: Vec<&str> = source.lines().filter(|line| !is_hidden(line)).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_not_shown() {
        let source = "Attribute VB_Name = \"Tax\"\r\nOption Explicit\r\nSub Run()\r\nAttribute Run.VB_ProcData.VB_Invoke_Func = \"r\"\r\n  x = 1\r\nEnd Sub\r\n";
        assert_eq!(as_shown(source), "Option Explicit\nSub Run()\n  x = 1\nEnd Sub");
    }

    #[test]
    fn what_is_no_project_says_so() {
        let error = modules("xl/vbaProject.bin", b"PK\x03\x04").unwrap_err();
        assert!(error.to_string().starts_with("the workbook is damaged: xl/vbaProject.bin"), "{error}");
    }
}
