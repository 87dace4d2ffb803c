//! From bytes to a workbook, whatever the format.

use std::sync::Arc;

use ooxml::{FileKind, Package, sniff};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{FileFormat, Oddity, Watch, Workbook};
use crate::{foreign, xlsx};

impl Workbook {
    /// Reads a workbook of any supported format.
    ///
    /// The bytes decide upon the format, not `file_name`; a name that says otherwise becomes an oddity. The name's stem
    /// names the sheet of a delimited text.
    ///
    /// # Errors
    ///
    /// Every [`OpenError`]: not a spreadsheet, encrypted, damaged, over budget, cancelled.
    pub fn open(
        bytes: Arc<[u8]>,
        file_name: &str,
        limits: &Limits,
        watch: &dyn Watch,
    ) -> Result<Workbook, OpenError> {
        let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        let (stem, extension) = base.rsplit_once('.').unwrap_or((base, ""));
        let mut book = match sniff(&bytes) {
            FileKind::Zip => open_zip(bytes, limits, watch)?,
            FileKind::Xls => foreign::open_legacy(&bytes, FileFormat::Xls, limits, watch)?,
            FileKind::Encrypted => return Err(OpenError::Encrypted),
            FileKind::Text => foreign::open_delimited(&bytes, stem, limits, watch)?,
            FileKind::Known(found) => return Err(not_a_spreadsheet(found)),
            FileKind::OtherCompoundFile => {
                return Err(not_a_spreadsheet("an older Office document without a workbook"));
            }
            FileKind::Empty => return Err(not_a_spreadsheet("an empty file")),
            FileKind::Unknown => return Err(not_a_spreadsheet("bytes of no known kind")),
        };
        if !is_named_as(book.format, extension) {
            book.oddities.push(Oddity {
                place: base.to_owned(),
                what: format!("the name ends in .{extension}, the content is .{}", book.format.extension()),
            });
        }
        Ok(book)
    }
}

fn open_zip(bytes: Arc<[u8]>, limits: &Limits, watch: &dyn Watch) -> Result<Workbook, OpenError> {
    let package = Package::open(Arc::clone(&bytes), &limits.package)?;
    if let Some((part, format)) = xlsx::main_part(&package)? {
        return xlsx::open(package, &part, format, limits, watch);
    }
    if package.contains("xl/workbook.bin") {
        return foreign::open_legacy(&bytes, FileFormat::Xlsb, limits, watch);
    }
    if package.contains("content.xml") {
        let mimetype = package.part("mimetype").unwrap_or_default();
        if memchr::memmem::find(&mimetype, b"spreadsheet").is_none() && !mimetype.is_empty() {
            return Err(not_a_spreadsheet("an OpenDocument file of another kind"));
        }
        // ODF 1.3 Part 2 §4.4: what is encrypted is listed so in the manifest.
        let manifest = package.part("META-INF/manifest.xml").unwrap_or_default();
        if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
            return Err(OpenError::Encrypted);
        }
        foreign::check_ods(package.stream("content.xml")?, limits)?;
        return foreign::open_legacy(&bytes, FileFormat::Ods, limits, watch);
    }
    let found = if package.contains("word/document.xml") {
        "a Word document"
    } else if package.contains("ppt/presentation.xml") {
        "a PowerPoint presentation"
    } else {
        "a zip archive without a workbook"
    };
    Err(not_a_spreadsheet(found))
}

fn not_a_spreadsheet(found: &str) -> OpenError {
    OpenError::NotASpreadsheet {
        found: format!("it is {found}"),
        remedy: "convert it to .xlsx or .csv and open that".to_owned(),
    }
}

fn is_named_as(format: FileFormat, extension: &str) -> bool {
    let extension = extension.to_ascii_lowercase();
    match format {
        FileFormat::Csv | FileFormat::Tsv => matches!(extension.as_str(), "csv" | "tsv" | "tab" | "txt" | ""),
        FileFormat::Xls => matches!(extension.as_str(), "xls" | "xlt" | ""),
        FileFormat::Ods => matches!(extension.as_str(), "ods" | "ots" | ""),
        format => extension.is_empty() || extension == format.extension(),
    }
}
