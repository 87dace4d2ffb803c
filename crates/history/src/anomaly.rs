//! What one copy of a fork could never show.

use crate::Seq;

/// Something that has no explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Anomaly {
    /// The log is no line from the base to the head.
    #[error("entry {seq} continues {parent}, though {before} was before it")]
    BrokenLog {
        /// The entry.
        seq: Seq,
        /// What it says that it continues.
        parent: Seq,
        /// The entry before it.
        before: Seq,
    },
    /// An edit was acknowledged and is not in the log.
    #[error("the edit {mark} was acknowledged as {seq} and is lost")]
    Lost {
        /// The edit.
        mark: String,
        /// The state that it was said to lead to.
        seq: Seq,
    },
    /// An edit was applied more than once.
    #[error("the edit {mark} was applied as {first} and again as {second}")]
    Duplicated {
        /// The edit.
        mark: String,
        /// Where.
        first: Seq,
        /// And where again.
        second: Seq,
    },
    /// An edit is elsewhere in the log than its client was told.
    #[error("the edit {mark} was acknowledged as {told} and is entry {found}")]
    Misplaced {
        /// The edit.
        mark: String,
        /// The number that was told.
        told: Seq,
        /// Its number in the log.
        found: Seq,
    },
    /// The log has an entry that nobody asked for.
    #[error("nobody asked for entry {seq}{}", mark.as_ref().map(|mark| format!(", {mark}")).unwrap_or_default())]
    Phantom {
        /// The entry.
        seq: Seq,
        /// What it wrote.
        mark: Option<String>,
    },
    /// An edit was refused and applied nevertheless.
    #[error("the edit {mark} was refused and is entry {seq}")]
    RefusedAndApplied {
        /// The edit.
        mark: String,
        /// The entry.
        seq: Seq,
    },
    /// The same call was answered in two ways.
    #[error("the edit {mark} was answered {first}, and when it was repeated {second}")]
    UnlikeAnswers {
        /// The edit.
        mark: String,
        /// An answer.
        first: String,
        /// Another one.
        second: String,
    },
    /// An edit was applied to another state than it had to be.
    #[error("the edit {mark} was to continue {expected} and continues {parent}")]
    WrongParent {
        /// The edit.
        mark: String,
        /// The state that its client expected.
        expected: Seq,
        /// The state that it was applied to.
        parent: Seq,
    },
    /// An edit comes before what had ended when it began.
    #[error("{later} is entry {seq}, though {floor} had been told by {earlier} before it began")]
    Reordered {
        /// The edit.
        later: String,
        /// Its entry.
        seq: Seq,
        /// The call that had ended.
        earlier: String,
        /// The newest state that it proves.
        floor: Seq,
    },
    /// A read saw less than what had ended when it began.
    #[error("{read} saw state {newest} at most, though {floor} had been told by {earlier} before it began")]
    Stale {
        /// The read.
        read: String,
        /// The newest state that it could have seen.
        newest: Seq,
        /// The call that had ended.
        earlier: String,
        /// The newest state that it proves.
        floor: Seq,
    },
    /// A read saw cells of different states.
    #[error("{read} saw what no state has: a cell of {from} or later with a cell of {to} or earlier")]
    Torn {
        /// The read.
        read: String,
        /// The newest of its cells.
        from: Seq,
        /// When the oldest of its cells was overwritten.
        to: Seq,
    },
    /// A read saw in a cell what was never written to it.
    #[error("{read} saw {mark} in {cell}, where nobody wrote it")]
    Invented {
        /// The read.
        read: String,
        /// The cell.
        cell: String,
        /// What it saw.
        mark: String,
    },
    /// A state that is named is shown with cells of another one.
    #[error("{read} of state {seq} saw cells of states {from} to {to}")]
    WrongState {
        /// The read.
        read: String,
        /// The state that was asked for.
        seq: Seq,
        /// The first state that has these cells.
        from: Seq,
        /// The last state that has them.
        to: Seq,
    },
    /// A call told a head that the log does not have.
    #[error("{call} told the head {head}, which is not in the log")]
    UnknownHead {
        /// The call.
        call: String,
        /// The head.
        head: Seq,
    },
}
