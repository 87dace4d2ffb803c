//! What reading one package may cost.

/// Bounds for one package (BUDGET).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the zip's central directory.
    pub max_parts: usize,
    /// Inflated bytes of one part.
    pub max_part_bytes: u64,
    /// Inflated bytes of a part that is read whole ([`crate::Package::part`]): those with relationships, styles, names.
    pub max_whole_part_bytes: u64,
    /// Inflated bytes of all parts together, as the directory declares them.
    pub max_total_bytes: u64,
    /// Inflated bytes per compressed byte, once a part has inflated to [`Limits::RATIO_FLOOR`] bytes.
    pub max_ratio: u64,
    /// Nested elements of one part's XML.
    pub max_xml_depth: usize,
}

impl Limits {
    /// Bytes below which a ratio says nothing.
    pub const RATIO_FLOOR: u64 = 32 << 20;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_parts: 65_536,
            max_part_bytes: 2 << 30,
            max_whole_part_bytes: 256 << 20,
            max_total_bytes: 4 << 30,
            max_ratio: 500,
            max_xml_depth: 256,
        }
    }
}
