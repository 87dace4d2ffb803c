//! Whether the programs that a worker consists of are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, os::unix::fs::PermissionsExt};

use crate::{OfficeError, OfficeOptions};

const REMEDY: &str =
    "install Debian's packages libreoffice-calc-nogui, python3-uno, poppler-utils and fonts-liberation";

/// Where programs are searched for when the options do not say.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/local/bin", "/bin", "/usr/lib/libreoffice/program"];

/// The system's Python: the module `uno` belongs to it and to none that is installed beside it.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// Whether jobs can be done here at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// All that is needed is there.
    Available {
        /// LibreOffice's version, such as `7.4`.
        version: String,
        /// Whether the kernel (by Landlock) keeps workers from files other than their own and those of programs.
        files_confined: bool,
    },
    /// Something is not.
    Missing {
        /// Which program or module.
        what: String,
        /// What to do about it.
        remedy: String,
    },
}

/// The programs that a worker needs, by their paths.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) soffice: PathBuf,
    pub(crate) python: PathBuf,
    pub(crate) pdftoppm: PathBuf,
    /// The version of LibreOffice.
    pub(crate) version: String,
}

/// What is missing.
#[derive(Debug, Clone)]
pub(crate) struct MissingProgram(String);

impl Programs {
    /// Looks for all of them.
    pub(crate) fn find(options: &OfficeOptions) -> Result<Programs, MissingProgram> {
        let soffice = Programs::soffice(options)?;
        let pdftoppm = find(options.pdftoppm.as_deref(), "pdftoppm", "the program pdftoppm")?;
        let python = options.python.as_deref().unwrap_or(Path::new(SYSTEM_PYTHON));
        let python = find(Some(python), "python3", "a Python for LibreOffice")?;
        if !has_uno(&python) {
            return Err(MissingProgram(format!("the module uno of {}", python.display())));
        }
        Ok(Programs { version: version_of(&soffice), soffice, python, pdftoppm })
    }
}

impl Programs {
    /// LibreOffice alone, which is looked for and not started.
    pub(crate) fn soffice(options: &OfficeOptions) -> Result<PathBuf, MissingProgram> {
        find(options.soffice.as_deref(), "soffice", "LibreOffice (the program soffice)")
    }
}

impl MissingProgram {
    pub(crate) fn as_error(&self) -> OfficeError {
        OfficeError::Missing { what: self.0.clone(), remedy: REMEDY.to_owned() }
    }

    pub(crate) fn as_availability(&self) -> Availability {
        Availability::Missing { what: self.0.clone(), remedy: REMEDY.to_owned() }
    }
}

fn find(given: Option<&Path>, name: &str, what: &str) -> Result<PathBuf, MissingProgram> {
    let is_program = |path: &Path| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    match given {
        Some(path) if is_program(path) => Ok(path.to_owned()),
        Some(path) => Err(MissingProgram(format!("{what} at {}", path.display()))),
        None => PROGRAM_FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|path| is_program(path))
            .ok_or_else(|| MissingProgram(what.to_owned())),
    }
}

fn has_uno(python: &Path) -> bool {
    Command::new(python)
        .args(["-I", "-B", "-c", "import uno"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What LibreOffice's `bootstraprc` says, which is beside its program: starting it only to ask takes a second.
fn version_of(soffice: &Path) -> String {
    fs::canonicalize(soffice)
        .and_then(|program| fs::read_to_string(program.with_file_name("bootstraprc")))
        .ok()
        .and_then(|settings| {
            let line = settings.lines().find_map(|line| line.strip_prefix("ProductKey="))?;
            line.rsplit(' ').next().map(str::to_owned)
        })
        .unwrap_or_else(|| "unknown".to_owned())
}
