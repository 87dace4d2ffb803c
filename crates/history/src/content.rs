//! What the cells of a fork hold at each of its states.

use std::collections::HashMap;

use crate::{Entry, Seq};

/// States from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct States {
    pub(crate) from: Seq,
    pub(crate) to: Seq,
}

impl States {
    pub(crate) const ALL: States = States { from: 0, to: Seq::MAX };

    pub(crate) fn only(seq: Seq) -> States {
        States { from: seq, to: seq }
    }

    pub(crate) fn and(self, other: States) -> States {
        States { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.from > self.to
    }
}

/// During which states a cell held which mark.
pub(crate) struct Content<'a> {
    held: HashMap<(&'a str, &'a str), States>,
    empty: HashMap<&'a str, States>,
}

impl<'a> Content<'a> {
    /// The content that a log leads to.
    pub(crate) fn of(log: &'a [Entry]) -> Content<'a> {
        let mut content = Content { held: HashMap::new(), empty: HashMap::new() };
        let mut last: HashMap<&str, &str> = HashMap::new();
        for entry in log {
            let Some(mark) = entry.mark.as_deref() else { continue };
            let before = entry.seq.saturating_sub(1);
            for cell in &entry.cells {
                match last.insert(cell, mark) {
                    Some(overwritten) => {
                        if let Some(states) = content.held.get_mut(&(cell.as_str(), overwritten)) {
                            states.to = before;
                        }
                    }
                    None => {
                        content.empty.insert(cell, States { from: 0, to: before });
                    }
                }
                content.held.insert((cell, mark), States { from: entry.seq, to: Seq::MAX });
            }
        }
        content
    }

    /// The states in which a cell held that; `None` when it never did.
    pub(crate) fn states(&self, cell: &str, mark: Option<&str>) -> Option<States> {
        match mark {
            Some(mark) => self.held.get(&(cell, mark)).copied(),
            None => Some(self.empty.get(cell).copied().unwrap_or(States::ALL)),
        }
    }
}
