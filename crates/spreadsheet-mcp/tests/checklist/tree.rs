//! A copy of the repository in which something can be wrong.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository").to_owned()
}

/// A copy, with evidence beside it.
pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    /// What is under version control, and what tests, benches and scanners would have written.
    pub(crate) fn new() -> Tree {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&repository(), &folder.path().join("repository")).expect("copied");
        crate::evidence::write(&folder.path().join("evidence"));
        Tree { folder }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    const LEFT_OUT: [&str; 4] = [".git", "target", "node_modules", "ledger"];
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&entry.path(), &to.join(name))?,
            kind if kind.is_file() => drop(fs::copy(entry.path(), to.join(name))?),
            _ => {}
        }
    }
    Ok(())
}
