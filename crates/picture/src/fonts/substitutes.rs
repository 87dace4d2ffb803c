//! What stands in for the fonts of Windows and Office, and how wide it has to be set to take the same room.

use super::{CARLITO, LIBERATION_MONO, LIBERATION_SANS};

/// A family that stands in for another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Substitute {
    /// One of the embedded families.
    pub(crate) family: &'static str,
    /// By how much it has to be stretched to be as wide as the original.
    pub(crate) width: f32,
}

const fn by(family: &'static str, width: f32) -> Substitute {
    Substitute { family, width }
}

/// Families by how wide their digits are in comparison: a number that fits its column in Excel must fit here.
const SUBSTITUTES: [(&str, Substitute); 30] = [
    ("calibri", by(CARLITO, 1.0)),
    ("calibri light", by(CARLITO, 1.0)),
    ("aptos narrow", by(CARLITO, 1.0)),
    ("arial", by(LIBERATION_SANS, 1.0)),
    ("helvetica", by(LIBERATION_SANS, 1.0)),
    ("helvetica neue", by(LIBERATION_SANS, 1.0)),
    ("microsoft sans serif", by(LIBERATION_SANS, 1.0)),
    ("ms sans serif", by(LIBERATION_SANS, 1.0)),
    ("arial narrow", by(LIBERATION_SANS, 0.82)),
    ("arial black", by(LIBERATION_SANS, 1.2)),
    ("aptos", by(LIBERATION_SANS, 1.0)),
    ("aptos display", by(LIBERATION_SANS, 0.98)),
    ("segoe ui", by(LIBERATION_SANS, 0.97)),
    ("tahoma", by(LIBERATION_SANS, 0.98)),
    ("verdana", by(LIBERATION_SANS, 1.14)),
    ("trebuchet ms", by(LIBERATION_SANS, 0.94)),
    ("century gothic", by(LIBERATION_SANS, 1.0)),
    ("times new roman", by(LIBERATION_SANS, 0.9)),
    ("times", by(LIBERATION_SANS, 0.9)),
    ("garamond", by(LIBERATION_SANS, 0.85)),
    ("georgia", by(LIBERATION_SANS, 1.1)),
    ("cambria", by(LIBERATION_SANS, 1.0)),
    ("book antiqua", by(LIBERATION_SANS, 0.9)),
    ("palatino linotype", by(LIBERATION_SANS, 0.9)),
    ("courier new", by(LIBERATION_MONO, 1.0)),
    ("courier", by(LIBERATION_MONO, 1.0)),
    ("lucida console", by(LIBERATION_MONO, 1.0)),
    ("consolas", by(LIBERATION_MONO, 0.916)),
    ("cascadia mono", by(LIBERATION_MONO, 0.975)),
    ("menlo", by(LIBERATION_MONO, 1.0)),
];

/// What stands in for a family that is not there; Carlito for one that nothing is known of.
pub(crate) fn substitute(family: &str) -> Substitute {
    let folded = family.trim().to_lowercase();
    SUBSTITUTES.iter().find(|(name, _)| *name == folded).map_or(by(CARLITO, 1.0), |(_, found)| *found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn office_fonts_have_their_metric_twins() {
        assert_eq!(substitute("Calibri"), by(CARLITO, 1.0));
        assert_eq!(substitute(" ARIAL "), by(LIBERATION_SANS, 1.0));
        assert_eq!(substitute("Courier New"), by(LIBERATION_MONO, 1.0));
        assert_eq!(substitute("Wingdings of Doom"), by(CARLITO, 1.0));
    }
}
