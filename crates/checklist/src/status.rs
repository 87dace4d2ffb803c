//! What is known of a box.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is as it has to be.
    Pass,
    /// It does not apply, and its condition says why.
    NotApplicable,
    /// It is not as it has to be, and somebody takes the risk for a while.
    Waived,
    /// It is not as it should be, which stops nothing.
    Warn,
    /// Nobody has stated it, or signed, yet.
    Pending,
    /// It was not looked at.
    NotRun,
    /// It was right too long ago.
    Stale,
    /// Whoever stated it, or took the risk, did so for a time that is over.
    Expired,
    /// It could not be found out.
    Error,
    /// It is not as it has to be.
    Fail,
}

impl Status {
    /// All of them, the best first.
    pub const ALL: [Status; 10] = [
        Status::Pass,
        Status::NotApplicable,
        Status::Waived,
        Status::Warn,
        Status::Pending,
        Status::NotRun,
        Status::Stale,
        Status::Expired,
        Status::Error,
        Status::Fail,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::NotApplicable => "not-applicable",
            Status::Waived => "waived",
            Status::Warn => "warn",
            Status::Pending => "pending",
            Status::NotRun => "not-run",
            Status::Stale => "stale",
            Status::Expired => "expired",
            Status::Error => "error",
            Status::Fail => "fail",
        }
    }

    /// Whether the box is checked off.
    pub fn is_checked(self) -> bool {
        matches!(self, Status::Pass | Status::NotApplicable | Status::Waived | Status::Warn)
    }

    /// That of a group, from those of its boxes: the worst; it applies when any of them does.
    pub fn of_group(boxes: impl IntoIterator<Item = Status>) -> Status {
        let mut worst = None;
        for status in boxes {
            if status != Status::NotApplicable {
                worst = worst.max(Some(status));
            }
        }
        worst.unwrap_or(Status::NotApplicable)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_as_good_as_its_worst_box_that_applies() {
        for (boxes, expected) in [
            (vec![Status::Pass, Status::NotApplicable], Status::Pass),
            (vec![Status::NotApplicable], Status::NotApplicable),
            (vec![Status::Fail, Status::Error, Status::Pass], Status::Fail),
            (vec![Status::Waived, Status::Pass], Status::Waived),
            (vec![Status::Pending, Status::Warn], Status::Pending),
        ] {
            assert_eq!(Status::of_group(boxes.clone()), expected, "{boxes:?}");
        }
    }
}
