//! Feature flags: what is dangerous, off unless switched on, for everybody or for some of the callers.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{
    config::{FlagsConfig, ListenConfig},
    principal::Principal,
};

/// What can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// Files of the workspace may be replaced.
    Overwrite,
    /// Sources of macros are told.
    Vba,
    /// Formulas that reach out of their workbook are written.
    ExternalFormulas,
}

impl Flag {
    /// All flags.
    pub const ALL: [Flag; 3] = [Flag::Overwrite, Flag::Vba, Flag::ExternalFormulas];

    /// The key of its option. Who belongs to a percentage depends on it: it stays as it is.
    pub fn key(self) -> &'static str {
        match self {
            Flag::Overwrite => "allow_overwrite",
            Flag::Vba => "vba_enabled",
            Flag::ExternalFormulas => "allow_external_formulas",
        }
    }

    /// What it lets callers do.
    fn danger(self) -> &'static str {
        match self {
            Flag::Overwrite => "files of the workspace may be replaced",
            Flag::Vba => "sources of macros may be read",
            Flag::ExternalFormulas => {
                "formulas may be written that fetch or run something where a workbook is opened"
            }
        }
    }
}

/// For whom a flag is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// Nobody.
    Off,
    /// Everybody.
    On,
    /// That many of a hundred callers, always the same ones; whoever has it at 10 % keeps it at 20 %.
    Percent(u8),
}

/// Text that is no rollout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("say false, true, or a percentage of callers from 0% to 100%")]
pub struct InvalidRollout;

impl FromStr for Rollout {
    type Err = InvalidRollout;

    fn from_str(text: &str) -> Result<Rollout, InvalidRollout> {
        match text {
            "false" => Ok(Rollout::Off),
            "true" => Ok(Rollout::On),
            _ => {
                let digits = text.strip_suffix('%').ok_or(InvalidRollout)?;
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
                let percent = digits.parse().ok().filter(|percent| is_plain && *percent <= 100);
                percent.map(Rollout::Percent).ok_or(InvalidRollout)
            }
        }
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rollout::Off => f.write_str("false"),
            Rollout::On => f.write_str("true"),
            Rollout::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FlagsConfig {
    /// Whether a flag is on for a caller.
    pub fn is_on(&self, flag: Flag, principal: &Principal) -> bool {
        match self.rollout(flag) {
            Rollout::Off => false,
            Rollout::On => true,
            Rollout::Percent(percent) => bucket(flag, principal) < u64::from(percent),
        }
    }
}

/// From 0 to 99, and always the same for a flag and a caller: on every replica, after every restart. Callers that are
/// early for one flag are not for another.
fn bucket(flag: Flag, principal: &Principal) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(flag.key());
    hasher.update([0]);
    hasher.update(principal.id());
    let digest = hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) % 100
}

/// Says aloud what dangerous things are on.
pub fn announce(flags: &FlagsConfig, listen: &ListenConfig) {
    for flag in Flag::ALL {
        let rollout = flags.rollout(flag);
        if !matches!(rollout, Rollout::Off | Rollout::Percent(0)) {
            tracing::warn!(flag = flag.key(), %rollout, "a dangerous flag is on: {}", flag.danger());
        }
    }
    if listen.insecure && listen.is_open_to_others() {
        let bind = listen.bind;
        tracing::warn!(flag = "insecure", %bind, "a dangerous flag is on: other machines may call without authentication");
        if listen.takes_own_names_only() {
            tracing::warn!(
                "requests that do not name this machine (localhost) are refused: say by which names others reach it, --allowed-hosts"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::named;

    #[track_caller]
    fn check(text: &str, expected: Option<Rollout>) {
        let rollout: Option<Rollout> = text.parse().ok();
        assert_eq!(rollout, expected);
        if let Some(rollout) = rollout {
            assert_eq!(rollout.to_string(), text);
        }
    }

    #[test]
    fn rollouts_are_read_as_they_are_written() {
        check("false", Some(Rollout::Off));
        check("true", Some(Rollout::On));
        check("0%", Some(Rollout::Percent(0)));
        check("100%", Some(Rollout::Percent(100)));
        for wrong in ["", "%", "101%", "-1%", "+1%", "2.5%", "25", "yes", "True"] {
            check(wrong, None);
        }
    }

    fn chosen(flag: Flag, percent: u8) -> Vec<usize> {
        let rollout = Rollout::Percent(percent);
        let flags =
            FlagsConfig { allow_overwrite: rollout, vba_enabled: rollout, allow_external_formulas: rollout };
        (0..1_000).filter(|id| flags.is_on(flag, &named(&format!("key-{id}")))).collect()
    }

    #[test]
    fn a_percentage_is_a_share_that_only_grows() {
        assert_eq!(chosen(Flag::Vba, 0), Vec::<usize>::new());
        assert_eq!(chosen(Flag::Vba, 100).len(), 1_000);
        let (few, more) = (chosen(Flag::Vba, 10), chosen(Flag::Vba, 30));
        assert!((70..=130).contains(&few.len()), "{}", few.len());
        assert!((250..=350).contains(&more.len()), "{}", more.len());
        assert!(few.iter().all(|id| more.contains(id)));
        assert_ne!(chosen(Flag::Overwrite, 10), few);
    }

    #[test]
    fn who_is_chosen_never_changes() {
        let bucket = |flag, id: &str| bucket(flag, &named(id));
        assert_eq!((bucket(Flag::Vba, "local"), bucket(Flag::Vba, "anonymous")), (12, 72));
        assert_eq!((bucket(Flag::Overwrite, "local"), bucket(Flag::Overwrite, "anonymous")), (65, 34));
    }
}
