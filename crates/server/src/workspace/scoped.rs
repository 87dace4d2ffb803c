//! The part of a workspace that somebody may see. What is beyond it is, to them, not there: it is refused by the same words
//! as what does not exist, after the same work.

use std::{io, path::Path};

use access::PathScope;

use super::{FileIdentity, Known, Listing, WorkbookFile, WorkbookId, Workspace, outside};
use crate::{
    error::{ErrorCode, ToolError},
    near_miss::near_paths,
};

/// A workspace as somebody sees it.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) scope: &'a PathScope,
}

impl<'a> Scoped<'a> {
    /// Where the folder is.
    pub fn root(&self) -> &'a Path {
        self.workspace.root()
    }

    /// Scans the folder.
    pub fn list(&self) -> Listing {
        let mut listing = self.workspace.list();
        listing.workbooks.retain(|workbook| self.scope.contains(&workbook.path));
        listing
    }

    /// Opens the workbook that `reference` names: an id, or a path within the workspace.
    ///
    /// # Errors
    /// When there is none, with near misses; when the path leads out; when the file can't be read.
    pub fn resolve(&self, reference: &str) -> Result<WorkbookFile, ToolError> {
        match reference.parse::<WorkbookId>() {
            Ok(id) => self.resolve_id(id),
            Err(_) => self.open_path(reference),
        }
    }

    /// The path that `reference` names, whether or not there is a file any more: an id, or a path within the workspace.
    ///
    /// # Errors
    /// When the id is of no workbook, or the path leads out.
    pub fn path_of(&self, reference: &str) -> Result<String, ToolError> {
        match reference.parse::<WorkbookId>() {
            Ok(id) => self.resolve_id(id).map(|file| file.path),
            Err(_) => {
                let path = self.workspace.relative_path(reference)?;
                if self.scope.contains(&path) { Ok(path) } else { Err(outside(reference)) }
            }
        }
    }

    fn resolve_id(&self, id: WorkbookId) -> Result<WorkbookFile, ToolError> {
        if let Some(path) = self.known(id).and_then(only)
            && let Ok(file) = self.open_path(&path)
        {
            return Ok(file);
        }
        self.workspace.list();
        match self.known(id) {
            Some(Known::One(path)) => self.open_path(&path),
            Some(Known::Several(paths)) => Err(ToolError::new(
                ErrorCode::WorkbookNotFound,
                format!("several workbooks have the id {id}"),
            )
            .at("workbook")
            .hint("name the workbook by its path")
            .candidates(paths)),
            None => Err(ToolError::new(ErrorCode::WorkbookNotFound, format!("no workbook has the id {id}"))
                .at("workbook")
                .hint("call list_workbooks for the ids and paths there are")),
        }
    }

    /// The paths of an id that are in sight.
    fn known(&self, id: WorkbookId) -> Option<Known> {
        let mut paths = match self.workspace.known(id)? {
            Known::One(path) => vec![path],
            Known::Several(paths) => paths,
        };
        paths.retain(|path| self.scope.contains(path));
        match paths.len() {
            0 | 1 => paths.pop().map(Known::One),
            _ => Some(Known::Several(paths)),
        }
    }

    fn open_path(&self, reference: &str) -> Result<WorkbookFile, ToolError> {
        let workspace = self.workspace;
        let path = workspace.relative_path(reference)?;
        if !workspace.rules.shows(&path) || !self.scope.contains(&path) {
            return Err(self.not_found(reference));
        }
        // Looked at before it is opened: opening a pipe would wait for a writer.
        let kind = workspace.folder.metadata(&path).map_err(|error| self.refused(reference, &error))?;
        if !kind.is_file() {
            return Err(self.not_found(reference));
        }
        let file = workspace.folder.open(&path).map_err(|error| self.refused(reference, &error))?;
        let metadata = file.metadata().map_err(|error| self.refused(reference, &error))?;
        let identity = FileIdentity::of(&path, &metadata);
        Ok(WorkbookFile { id: WorkbookId::of(&path), path, identity, file })
    }

    fn refused(&self, reference: &str, error: &io::Error) -> ToolError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput => {
                self.not_found(reference)
            }
            // The directory handle reports a way out of the folder as a refused permission without a system error.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => outside(reference),
            _ => ToolError::new(ErrorCode::FileUnreadable, format!("\"{reference}\" can't be read: {error}"))
                .at("workbook")
                .hint("check that the server may read the file"),
        }
    }

    fn not_found(&self, reference: &str) -> ToolError {
        let listing = self.list();
        let paths = listing.workbooks.iter().map(|workbook| workbook.path.as_str());
        let candidates = near_paths(reference, paths);
        ToolError::new(ErrorCode::WorkbookNotFound, format!("no workbook \"{reference}\" in the workspace"))
            .at("workbook")
            .hint("call list_workbooks for the ids and paths there are")
            .candidates(candidates)
    }
}

fn only(known: Known) -> Option<String> {
    match known {
        Known::One(path) => Some(path),
        Known::Several(_) => None,
    }
}
