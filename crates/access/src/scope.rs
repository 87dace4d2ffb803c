//! The part of a workspace that somebody may see.

use serde::{Deserialize, Serialize};

/// Folders and files of a workspace, with all that is in them. Empty lists are of nothing: whoever may see everything has
/// [`PathScope::everything`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct PathScope {
    /// Paths with `/` between their names; the empty one is the workspace.
    roots: Vec<String>,
}

/// A path that can't be part of a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path within the workspace: write it without \"..\", as in finance/2026")]
pub struct InvalidFolder(pub String);

impl PathScope {
    /// The whole workspace.
    pub fn everything() -> PathScope {
        PathScope { roots: vec![String::new()] }
    }

    /// These folders and files; `.` and `/` are the workspace itself.
    ///
    /// # Errors
    /// When one of them leads out of the workspace.
    pub fn new<S: AsRef<str>>(paths: impl IntoIterator<Item = S>) -> Result<PathScope, InvalidFolder> {
        let root = |path: S| {
            let names: Vec<&str> =
                path.as_ref().split('/').filter(|name| !name.is_empty() && *name != ".").collect();
            match names.contains(&"..") || path.as_ref().contains(['\\', '\0']) {
                true => Err(InvalidFolder(path.as_ref().to_owned())),
                false => Ok(names.join("/")),
            }
        };
        Ok(PathScope { roots: paths.into_iter().map(root).collect::<Result<_, _>>()? })
    }

    /// Whether a path of the workspace, with `/` between plain names, is in it.
    pub fn contains(&self, path: &str) -> bool {
        self.roots.iter().any(|root| {
            root.is_empty()
                || path
                    .strip_prefix(root.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether it is the whole workspace.
    pub fn is_everything(&self) -> bool {
        self.roots.iter().any(String::is_empty)
    }

    /// Its folders and files; `.` is the workspace.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(|root| if root.is_empty() { "." } else { root })
    }
}

impl TryFrom<Vec<String>> for PathScope {
    type Error = InvalidFolder;

    fn try_from(paths: Vec<String>) -> Result<PathScope, InvalidFolder> {
        PathScope::new(paths)
    }
}

impl From<PathScope> for Vec<String> {
    fn from(scope: PathScope) -> Vec<String> {
        scope.paths().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_hold_what_is_in_them_and_nothing_beside() {
        let scope = PathScope::new(["finance/2026/", "/shared.xlsx"]).expect("paths");
        for inside in ["finance/2026/a.xlsx", "finance/2026/q1/b.xlsx", "finance/2026", "shared.xlsx"] {
            assert!(scope.contains(inside), "{inside}");
        }
        for outside in ["finance/20261/a.xlsx", "finance/a.xlsx", "finance", "shared.xlsx.bak", ""] {
            assert!(!scope.contains(outside), "{outside}");
        }
        assert!(PathScope::everything().contains("anything.xlsx"));
        assert!(!PathScope::new([""; 0]).expect("no paths").contains("anything.xlsx"));
        assert!(PathScope::new(["."]).expect("the workspace").is_everything());
        assert_eq!(PathScope::new(["a/../b"]), Err(InvalidFolder("a/../b".to_owned())));
    }
}
