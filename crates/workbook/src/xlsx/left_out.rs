//! Objects that cannot be read: the cells around them stay good, and the caller is told what is missing.

use crate::error::OpenError;

/// What was left out of one part, told as one note however much it is.
#[derive(Default)]
pub(super) struct LeftOut {
    count: usize,
    first: String,
}

impl LeftOut {
    /// Notes that something is left out.
    pub(super) fn add(&mut self, why: impl Into<String>) {
        if self.count == 0 {
            self.first = why.into();
        }
        self.count += 1;
    }

    /// The value, unless its part is damaged. What ends the whole reading (a budget, a caller's wish) is passed on.
    pub(super) fn take<T>(&mut self, read: Result<T, OpenError>) -> Result<Option<T>, OpenError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(OpenError::Damaged { part, problem }) => {
                self.add(format!("{part}: {problem}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The note, if anything was left out.
    pub(super) fn note(self, what: &str) -> Option<String> {
        let first = self.first;
        match self.count {
            0 => None,
            1 => Some(format!("{what}: one is left out: {first}")),
            count => Some(format!("{what}: {count} are left out; the first: {first}")),
        }
    }
}
