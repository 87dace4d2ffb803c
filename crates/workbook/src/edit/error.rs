//! Why an edit or a save did not happen: what was wrong, where, and what to do.

use std::io;

use crate::edit::op::Edit;
use crate::error::OpenError;

/// What is wrong with one edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    place: Option<String>,
    problem: String,
    remedy: String,
}

impl Problem {
    pub(crate) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { place: None, problem: problem.into(), remedy: remedy.into() }
    }

    /// The same, said of a place.
    #[must_use]
    pub(crate) fn at(mut self, place: impl ToString) -> Problem {
        self.place.get_or_insert(place.to_string());
        self
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Problem {
        Problem::new(error.to_string(), "")
    }
}

impl From<ooxml::PackageError> for Problem {
    fn from(error: ooxml::PackageError) -> Problem {
        OpenError::from(error).into()
    }
}

/// An edit that cannot be applied. Nothing of its batch was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told())]
pub struct EditError {
    /// Position of the edit in its batch; `None` where the workbook as a whole cannot be edited.
    pub index: Option<usize>,
    /// The edit's name.
    pub op: String,
    /// The cells, where it is they that are wrong.
    pub place: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do; empty where the problem says it.
    pub remedy: String,
}

impl EditError {
    pub(crate) fn at(index: usize, edit: &Edit, problem: Problem) -> EditError {
        EditError { index: Some(index), op: edit.name(), ..problem.into() }
    }

    fn told(&self) -> String {
        let mut told = match self.index {
            Some(index) => format!("ops[{index}] ({})", self.op),
            None => "the workbook".to_owned(),
        };
        if let Some(place) = &self.place {
            told.push_str(&format!(" at {place}"));
        }
        told.push_str(&format!(": {}", self.problem));
        if !self.remedy.is_empty() {
            told.push_str(&format!("; {}", self.remedy));
        }
        told
    }
}

impl From<Problem> for EditError {
    fn from(problem: Problem) -> EditError {
        let Problem { place, problem, remedy } = problem;
        EditError { index: None, op: String::new(), place, problem, remedy }
    }
}

impl From<OpenError> for EditError {
    fn from(error: OpenError) -> EditError {
        Problem::from(error).into()
    }
}

/// Why a draft was not saved. What was written so far is no workbook.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A part cannot be read, or an edit does not fit into it.
    #[error(transparent)]
    Part(#[from] OpenError),
    /// The package cannot be written.
    #[error(transparent)]
    Package(#[from] ooxml::SaveError),
    /// The workbook is digitally signed, and saving it breaks the signature.
    #[error(
        "the workbook is digitally signed and a changed copy cannot keep the signature; pass drop_signature: true to save \
         it without one"
    )]
    Signed,
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> SaveError {
        match error.downcast::<OpenError>() {
            Ok(error) => SaveError::Part(error),
            Err(error) => SaveError::Package(error.into()),
        }
    }
}

/// What is wrong with a part, found while another is written from it.
impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

impl From<ooxml::PackageError> for SaveError {
    fn from(error: ooxml::PackageError) -> SaveError {
        SaveError::Part(error.into())
    }
}
