//! Which row (or column) of one sheet is which row of the other.

use std::fmt;

use grid::column_letters;
use serde::Serialize;

/// Rows or columns that stay together: `len` of them from `old` on are those from `new` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) old: u32,
    pub(crate) new: u32,
    pub(crate) len: u32,
}

/// The lines of two sheets, put next to each other.
///
/// **Invariant:** `kept` ascends on both sides; `moved` covers none of it on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alignment {
    kept: Vec<Run>,
    moved: Vec<Run>,
}

impl Alignment {
    /// Every line is where it was.
    pub(crate) fn identity() -> Alignment {
        Alignment { kept: vec![Run { old: 0, new: 0, len: u32::MAX }], moved: Vec::new() }
    }

    /// From pairs of lines, ascending on both sides, and those that moved. Lines from `ends` on (old, new) have no
    /// content and follow the end.
    pub(crate) fn new(runs: Vec<Run>, moved: Vec<Run>, ends: (u32, u32)) -> Alignment {
        let mut kept: Vec<Run> = Vec::new();
        let len = u32::MAX - ends.0.max(ends.1);
        for run in runs.into_iter().chain([Run { old: ends.0, new: ends.1, len }]) {
            match kept.last_mut() {
                Some(last) if last.old + last.len == run.old && last.new + last.len == run.new => {
                    last.len += run.len;
                }
                _ if run.len == 0 => {}
                _ => kept.push(run),
            }
        }
        Alignment { kept, moved }
    }

    /// Whether every line is where it was.
    pub(crate) fn is_identity(&self) -> bool {
        self.moved.is_empty() && matches!(self.kept.as_slice(), [run] if run.old == 0 && run.new == 0)
    }

    /// What stayed and what moved.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.kept.iter().chain(&self.moved).copied()
    }

    /// Where an old line is now.
    pub(crate) fn to_new(&self, old: u32) -> Option<u32> {
        let after = self.kept.partition_point(|run| run.old <= old);
        let inside = |run: &&Run| old >= run.old && old - run.old < run.len;
        let kept = self.kept[..after].last().filter(inside);
        kept.or_else(|| self.moved.iter().find(inside)).map(|run| run.new + (old - run.old))
    }

    /// Where the first line of a reference is now: the line itself, or the next one that stayed.
    pub(crate) fn first_to_new(&self, old: u32) -> u32 {
        let after = self.kept.partition_point(|run| run.old <= old);
        match self.kept[..after].last() {
            Some(run) if old - run.old < run.len => run.new + (old - run.old),
            _ => self.kept.get(after).map_or(old, |run| run.new),
        }
    }

    /// Where the last line of a reference is now: the line itself, or the one before it that stayed.
    pub(crate) fn last_to_new(&self, old: u32) -> Option<u32> {
        let after = self.kept.partition_point(|run| run.old <= old);
        let run = self.kept[..after].last()?;
        Some(run.new + (old - run.old).min(run.len - 1))
    }

    /// Inserted, deleted and moved lines, in the order of the sheets.
    pub(crate) fn changes(&self, lines: Lines) -> Vec<LineChange> {
        let mut found = Vec::new();
        let (mut old, mut new) = (0, 0);
        for run in &self.kept {
            spans(old, run.old, self.moved.iter().map(|moved| (moved.old, moved.len)), |first, last| {
                found.push(LineChange { lines, kind: LineKind::Deleted, first, last, to: None });
            });
            spans(new, run.new, self.moved.iter().map(|moved| (moved.new, moved.len)), |first, last| {
                found.push(LineChange { lines, kind: LineKind::Inserted, first, last, to: None });
            });
            (old, new) = (run.old + run.len, run.new + run.len);
        }
        found.extend(self.moved.iter().map(|run| LineChange {
            lines,
            kind: LineKind::Moved,
            first: run.old,
            last: run.old + run.len - 1,
            to: Some(run.new),
        }));
        found
    }
}

/// The parts of `from..to` that none of `without` covers.
fn spans(from: u32, to: u32, without: impl Iterator<Item = (u32, u32)>, mut each: impl FnMut(u32, u32)) {
    if from >= to {
        return;
    }
    let mut holes: Vec<(u32, u32)> = without.filter(|(first, _)| (from..to).contains(first)).collect();
    holes.sort_unstable();
    let mut at = from;
    for (first, len) in holes.into_iter().chain([(to, 0)]) {
        if at < first {
            each(at, first - 1);
        }
        at = first + len;
    }
}

/// Rows or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Lines {
    Rows,
    Columns,
}

/// What became of rows or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// They are new: positions in the new sheet.
    Inserted,
    /// They are gone: positions in the old sheet.
    Deleted,
    /// They are elsewhere: positions in the old sheet.
    Moved,
}

/// Neighbouring rows or columns that came, went or moved; `Display` says so as `rows inserted 5:7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineChange {
    /// Rows or columns.
    pub lines: Lines,
    /// What became of them.
    pub kind: LineKind,
    /// The first one, from 0.
    pub first: u32,
    /// The last one, from 0.
    pub last: u32,
    /// The first one's new position, if they moved.
    pub to: Option<u32>,
}

impl LineChange {
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.last - self.first + 1
    }

    fn span(&self, first: u32) -> String {
        let last = first + (self.last - self.first);
        match self.lines {
            Lines::Rows => format!("{}:{}", first + 1, last + 1),
            Lines::Columns => format!("{}:{}", column_letters(first), column_letters(last)),
        }
    }
}

impl fmt::Display for LineChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = if self.lines == Lines::Rows { "rows" } else { "columns" };
        let kind = match self.kind {
            LineKind::Inserted => "inserted",
            LineKind::Deleted => "deleted",
            LineKind::Moved => "moved",
        };
        write!(f, "{lines} {kind} {}", self.span(self.first))?;
        match self.to {
            Some(to) => write!(f, " to {}", self.span(to)),
            None => Ok(()),
        }
    }
}
