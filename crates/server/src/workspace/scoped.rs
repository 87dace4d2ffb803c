//! The part of a workspace that somebody may see. What is beyond it is, to them, not there: it is refused by the same words
//! as what does not exist, after the same work.

use access::PathScope;

use super::{Listing, WorkbookFile, WorkbookId, Workspace, listing::Known, outside, place::Refusal};
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
    /// Looks for workbooks.
    ///
    /// # Errors
    /// When the workspace does not answer.
    pub fn list(&self) -> Result<Listing, ToolError> {
        let mut listing = self.workspace.list()?;
        listing.workbooks.retain(|workbook| self.scope.contains(&workbook.path));
        Ok(listing)
    }

    /// Finds the workbook that `reference` names: an id, or a path within the workspace.
    ///
    /// # Errors
    /// When there is none, with near misses; when the path leads out; when the file can't be read.
    pub fn resolve(&self, reference: &str) -> Result<WorkbookFile, ToolError> {
        match reference.parse::<WorkbookId>() {
            Ok(id) => self.resolve_id(id),
            Err(_) => self.find(reference, &[]),
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

    /// Finds the file of a path, a workbook or one with one of the `other` extensions.
    ///
    /// # Errors
    /// As [`Scoped::resolve`].
    pub fn find(&self, reference: &str, other: &[&str]) -> Result<WorkbookFile, ToolError> {
        let workspace = self.workspace;
        let path = workspace.relative_path(reference)?;
        if !workspace.rules.takes(&path, other) || !self.scope.contains(&path) {
            return Err(self.not_found(reference));
        }
        match workspace.place.find(&path) {
            Ok((identity, content)) => {
                Ok(WorkbookFile { id: WorkbookId::of(&path), path, identity, content })
            }
            Err(Refusal::NotThere) => Err(self.not_found(reference)),
            Err(Refusal::Outside) => Err(outside(reference)),
            Err(Refusal::Failed(error)) => Err(error),
        }
    }

    fn resolve_id(&self, id: WorkbookId) -> Result<WorkbookFile, ToolError> {
        if let Some(path) = self.known(id).and_then(only)
            && let Ok(file) = self.find(&path, &[])
        {
            return Ok(file);
        }
        self.workspace.list()?;
        match self.known(id) {
            Some(Known::One(path)) => self.find(&path, &[]),
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
        let mut paths = match self.workspace.known.get(id)? {
            Known::One(path) => vec![path],
            Known::Several(paths) => paths,
        };
        paths.retain(|path| self.scope.contains(path));
        match paths.len() {
            0 | 1 => paths.pop().map(Known::One),
            _ => Some(Known::Several(paths)),
        }
    }

    fn not_found(&self, reference: &str) -> ToolError {
        // Without a listing there are no near misses.
        let listing = self.list().unwrap_or_default();
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
