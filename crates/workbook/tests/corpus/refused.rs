//! The files of the corpus that nobody can open, by the start of their names, and what is said of each.

/// What an error of [`workbook::OpenError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Damaged,
    Encrypted,
    NotASpreadsheet,
    OverBudget,
}

use Refusal::{Damaged, Encrypted, NotASpreadsheet, OverBudget};

/// Excel opens none of them without a password, a repair or a changed setting.
pub(crate) const REFUSED: &[(&str, Refusal, &str)] = &[
    ("002b86de5d", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("0a98e11497", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("11d74c8026", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("150097f203", Damaged, "a fuzzer's; a checksum is wrong"),
    ("2471661d44", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("3c7cc047fa", Encrypted, "a password to open"),
    ("3df2702db5", Damaged, "a fuzzer's; a checksum is wrong"),
    ("4ba7b6c26d", Damaged, "an XML bomb"),
    ("57c472b9fb", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("5edcd16d3e", Damaged, "an XML bomb"),
    ("759df2993d", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("81b40a100a", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("9313f4e25f", Damaged, "a fuzzer's; the zip's directory is missing"),
    ("95d38f6b6b", Damaged, "a fuzzer's; the zip's directory is cut off"),
    ("a4e85686a0", Damaged, "a fuzzer's; the zip's directory is no directory"),
    ("ab7e62cbb8", Damaged, "a fuzzer's; a zip entry is none"),
    ("fe393e2892", Damaged, "a fuzzer's; the zip's directory is cut off"),
    ("e2c06dd0c5", Encrypted, "a password to open"),
    ("b726194ce3", Encrypted, "a password to open"),
    ("bca3f2c2ec", Encrypted, "a password to open"),
    ("fac4fef9e8", Encrypted, "a password to open"),
    ("caae96225a", Encrypted, "a password to open"),
    ("e3b0c44298", NotASpreadsheet, "an empty file"),
    ("0a757285c4", Damaged, "a fuzzer's; a record is cut off"),
    ("188b81d484", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("27eb49a690", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("2e0bb49351", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("32c03dde47", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("4824ef435a", Damaged, "a fuzzer's; a record is cut off"),
    ("7d84974b7d", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("8157e14dbf", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("b09929433f", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("dfca81aa3b", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("e0103d7adf", Damaged, "a fuzzer's; the size of its sectors is none"),
    ("ea2967f29b", Damaged, "a fuzzer's; a sector lies beyond the end"),
    ("316aafa784", Encrypted, "a password to open"),
    ("15314658f5", Encrypted, "a password to open"),
    ("f790bbce8c", Encrypted, "a password to open"),
    ("41b0c82bfa", Damaged, "from a beta of Excel 2007; calamine panics on it"),
    ("97bc2987cd", NotASpreadsheet, "Excel 4.0, which Excel blocks"),
    ("d3d60ffb5a", NotASpreadsheet, "Excel 3.0, which Excel blocks"),
    ("36d7c48410", NotASpreadsheet, "flat OpenDocument, which Excel does not know"),
    ("9a6bdbe837", NotASpreadsheet, "flat OpenDocument, which Excel does not know"),
    ("dc43c3a709", OverBudget, "made to exhaust the memory: two cells, far apart"),
];
