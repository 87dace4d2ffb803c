//! The source of macros (MS-OVBA); read, never executed.

mod compression;
mod project;

use crate::error::OpenError;
use crate::model::Workbook;

/// What kind of module it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VbaModuleKind {
    /// Procedures that others call.
    Procedural,
    /// Belongs to the workbook, a sheet, a form, or is a class.
    ClassOrDocument,
}

/// A module of a workbook's macros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VbaModule {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: VbaModuleKind,
    /// Its source as the editor shows it: without the attributes, lines end with `\n`. `None` if it can't be read.
    pub source: Option<String>,
}

impl Workbook {
    /// The modules of the workbook's macros, in the project's order; `None` if the format keeps them where they are not
    /// read (`.xls`, `.xlsb`).
    ///
    /// # Errors
    ///
    /// When the project is damaged, or its source is larger than any project's.
    pub fn vba_modules(&self) -> Result<Option<Vec<VbaModule>>, OpenError> {
        let Some(vba) = &self.vba else { return Ok(Some(Vec::new())) };
        match self.loader.part(&vba.part)? {
            Some(bytes) => project::modules(&vba.part, &bytes).map(Some),
            None => Ok(None),
        }
    }
}
