//! Why a request to an object store failed.

/// Everything that can go wrong. A message ends with what to do, after its last `; `.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("there is no object {key}; it may have been deleted")]
    NotFound {
        /// Its key.
        key: String,
    },
    /// The object is not what the writer believed it to be: nothing was written.
    #[error("the object {key} is another one by now; read it again")]
    Changed {
        /// Its key.
        key: String,
    },
    /// The store does not let us.
    #[error("{store} refuses access: {problem}; check its credentials and what they permit")]
    Denied {
        /// The URL of the store.
        store: String,
        /// What it said.
        problem: String,
    },
    /// The store cannot do what was asked, now or ever.
    #[error("{store} cannot do that: {problem}; use a store that can")]
    Unsupported {
        /// The URL of the store.
        store: String,
        /// What is missing.
        problem: String,
    },
    /// The store did not answer, not in time, or with a failure of its own. A write may have happened.
    #[error("{store} does not answer as it should: {problem}; repeat the call in a moment")]
    Unavailable {
        /// The URL of the store.
        store: String,
        /// What happened.
        problem: String,
    },
}
