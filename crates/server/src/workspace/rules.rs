//! Which files of a workspace are workbooks.

use std::path::Path;

/// What a workspace shows.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceRules {
    /// File name extensions of workbooks, in lower case, without the dot.
    pub extensions: Vec<String>,
    /// The only workbook to show, relative to the workspace.
    pub locked_to: Option<String>,
}

impl WorkspaceRules {
    /// Whether a path within the workspace is one of the workbooks to show.
    pub(super) fn shows(&self, path: &str) -> bool {
        self.takes(path, &[])
    }

    /// Whether a path within the workspace may be that of a workbook, or of a file with one of the `other` extensions.
    pub(super) fn takes(&self, path: &str, other: &[&str]) -> bool {
        if let Some(only) = &self.locked_to {
            return path == only;
        }
        let hidden = path.split('/').any(|name| name.starts_with('.') || name.starts_with("~$"));
        // No URL of a file names those, and programs disagree on what a backslash is.
        let is_odd = path.contains(|letter: char| letter.is_control() || letter == '\\');
        let extension =
            Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let mut known = self.extensions.iter().map(String::as_str).chain(other.iter().copied());
        !hidden && !is_odd && known.any(|known| known.eq_ignore_ascii_case(extension))
    }
}
