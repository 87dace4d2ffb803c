//! OpenDocument packages that `calamine` refuses although they are sound: with white space between the elements of a
//! table, or without the `mimetype` entry.

use std::io::{Cursor, Write};

use memchr::{memchr, memrchr};
use ooxml::Package;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::OpenError;
use crate::limits::Limits;

const MIME_TYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";

/// The parts that cells are in, again as a package.
pub(super) fn tidied(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, OpenError> {
    let package = Package::open(bytes.into(), &limits.package)?;
    let content = without_space_in_tables(&package.part("content.xml")?);
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(content.len() + 4096)));
    let mut add = |name: &str, bytes: &[u8]| -> zip::result::ZipResult<()> {
        writer
            .start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored))?;
        Ok(writer.write_all(bytes)?)
    };
    let manifest = "META-INF/manifest.xml";
    let manifest_part = if package.contains(manifest) { Some(package.part(manifest)?) } else { None };
    let written = add("mimetype", MIME_TYPE)
        .and_then(|()| manifest_part.map_or(Ok(()), |part| add(manifest, &part)))
        .and_then(|()| add("content.xml", &content))
        .and_then(|()| writer.finish());
    written
        .map(Cursor::into_inner)
        .map_err(|error| OpenError::Damaged { part: "content.xml".to_owned(), problem: error.to_string() })
}

/// Leaves out white space that stands between two tags of tables, where it means nothing.
fn without_space_in_tables(xml: &[u8]) -> Vec<u8> {
    let is_table = |tag: &[u8]| tag.starts_with(b"<table:") || tag.starts_with(b"</table:");
    let mut tidy = Vec::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(end) = memchr(b'>', rest) {
        let (tag, after) = rest.split_at(end + 1);
        tidy.extend_from_slice(tag);
        let next = after.trim_ascii_start();
        let ends_table_tag = memrchr(b'<', tag).is_some_and(|start| is_table(&tag[start..]));
        rest = if ends_table_tag && is_table(next) { next } else { after };
    }
    tidy.extend_from_slice(rest);
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_space_between_tags_of_tables_goes() {
        let xml = "<table:table-row>\n  <table:table-cell a='1'>\n <text:p>a <b/> c</text:p> \n</table:table-cell> </table:table-row> ";
        let tidy = "<table:table-row><table:table-cell a='1'>\n <text:p>a <b/> c</text:p> \n</table:table-cell></table:table-row> ";
        assert_eq!(String::from_utf8_lossy(&without_space_in_tables(xml.as_bytes())), tidy);
    }
}
