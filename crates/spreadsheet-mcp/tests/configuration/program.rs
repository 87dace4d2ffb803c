//! The program with a configuration of its own: nothing of the environment of the tests reaches it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A folder with a workspace and a configuration.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("books")).expect("a folder");
        std::fs::write(folder.path().join("books/sales.csv"), "region,amount\nnorth,1\nsouth,2\n")
            .expect("written");
        Place { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// The program, in this folder.
    pub(crate) fn program(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("XDG_STATE_HOME", self.path("state")).envs(environment.iter().copied());
        command
    }

    /// What the program says: exit code, standard output, standard error.
    pub(crate) fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
        let Output { status, stdout, stderr } =
            self.program(arguments, environment).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code().expect("a code"), text(stdout), text(stderr))
    }
}

/// The repository's documentation.
pub(crate) fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}
