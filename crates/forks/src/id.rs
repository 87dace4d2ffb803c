//! What things in the store are called. A name that parsed is one; nothing below checks it again.

use std::fmt;
use std::str::FromStr;

/// A text that cannot be a name of that kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {rule}")]
pub struct InvalidName {
    /// What it was to name.
    pub what: &'static str,
    /// What such a name looks like.
    pub rule: &'static str,
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<$name, InvalidName> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(text) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype!(
    /// Names a fork. The caller mints it: `fork-` and a random part that cannot be guessed.
    ForkId,
    "a fork id",
    "fork- and 10 to 26 lowercase letters and digits",
    |text| is_id(text, "fork-")
);

text_newtype!(
    /// Names a staged change. The caller mints it: `staged-` and a random part.
    StagedId,
    "the id of a staged change",
    "staged- and 10 to 26 lowercase letters and digits",
    |text| is_id(text, "staged-")
);

text_newtype!(
    /// What a person or an agent calls a state of a fork, to come back to.
    CheckpointName,
    "the name of a checkpoint",
    "1 to 100 characters, none of them a control character",
    |text| is_line(text, 100)
);

text_newtype!(
    /// A client's name for one call, so that the call is not applied again when it is sent again.
    IdempotencyKey,
    "an idempotency key",
    "1 to 200 characters, none of them a control character",
    |text| is_line(text, 200)
);

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|random| {
        (10..=26).contains(&random.len())
            && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

fn is_line(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The number of an entry in a fork's log, and so of the state after it. Numbers grow and are never used again, hence a
/// fork and a number name one state for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// The state before any entry: the base as it is.
    pub const BASE: Seq = Seq(0);

    /// The state after the entry with that number.
    pub const fn new(number: u64) -> Seq {
        Seq(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one.
    pub(crate) const fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(text: &str, is_valid: bool) {
        assert_eq!(text.parse::<T>().is_ok(), is_valid, "{text:?}");
    }

    #[test]
    fn ids() {
        check::<ForkId>("fork-0123456789", true);
        check::<ForkId>("fork-abcdefghijklmnopqrstuvwxyz", true);
        check::<ForkId>("fork-012345678", false);
        check::<ForkId>("fork-abcdefghijklmnopqrstuvwxyz0", false);
        check::<ForkId>("fork-ABCDEFGHIJ", false);
        check::<ForkId>("fork-../../../etc", false);
        check::<ForkId>("staged-0123456789", false);
        check::<StagedId>("staged-0123456789", true);
    }

    #[test]
    fn names() {
        check::<CheckpointName>("before the änderung", true);
        check::<CheckpointName>("", false);
        check::<CheckpointName>(&"ä".repeat(100), true);
        check::<CheckpointName>(&"ä".repeat(101), false);
        check::<CheckpointName>("two\nlines", false);
        check::<IdempotencyKey>(&"k".repeat(200), true);
        check::<IdempotencyKey>(&"k".repeat(201), false);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = "fork-".parse::<ForkId>().unwrap_err();
        assert_eq!(refused.to_string(), "a fork id is fork- and 10 to 26 lowercase letters and digits");
    }
}
