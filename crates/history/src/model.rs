//! What is recorded: the log of a fork, and the calls that clients made to it.

/// Nanoseconds of a clock that never goes back, one for all who record.
pub type Nanos = u64;

/// The number of a state: 0 is the base, others are the entries that led there.
pub type Seq = u64;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// The state that it was applied to.
    pub parent: Seq,
    /// What it wrote, which no other edit writes; `None` for results that the server computed.
    pub mark: Option<String>,
    /// The cells that it wrote its mark to.
    pub cells: Vec<String>,
}

/// When a call began, and when its client knew how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Before anything was sent.
    pub begun: Nanos,
    /// After everything was received, of the last attempt if it was repeated.
    pub ended: Nanos,
}

/// What a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who.
    pub client: usize,
    /// When.
    pub span: Span,
    /// What, and how it ended.
    pub what: What,
}

/// A call and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An edit.
    Edit {
        /// What it writes.
        mark: String,
        /// The state that it had to be applied to.
        expected: Option<Seq>,
        /// How it ended.
        outcome: Outcome,
    },
    /// A calculation, which may add an entry without a mark. The head that it told, if it told any.
    Compute(Option<Seq>),
    /// A look that was answered. One that was not says nothing.
    Read {
        /// The head that it told.
        head: Option<Seq>,
        /// The cells that it told, and the marks in them.
        cells: Vec<(String, Option<String>)>,
    },
    /// A look at a state that is named, whenever that was.
    Past {
        /// The state.
        seq: Seq,
        /// The cells that it told, and the marks in them.
        cells: Vec<(String, Option<String>)>,
    },
}

/// How an edit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was acknowledged, once by every attempt that was answered.
    Done(Vec<Answer>),
    /// It was refused: nothing was changed, and nothing will be.
    Refused,
    /// Nobody knows. It may be applied at any time after it began.
    Unknown,
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The state that the edit led to.
    pub seq: Seq,
    /// All of it: whoever asks again under the same key is answered the same.
    pub text: String,
}
