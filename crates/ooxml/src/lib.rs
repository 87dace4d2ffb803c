//! Open Packaging Conventions (ECMA-376 Part 2) over bytes in memory: parts, relationships, content types, and the
//! XML reading that every part needs, all under a budget; and back to bytes with some parts changed.
//!
//! **Invariants.** Nothing is allocated on the word of a file: sizes are checked as bytes are inflated (BUDGET). A part's
//! name never leaves the package (CONFINED). What is not changed is saved byte for byte as it was (LOSSLESS).
//!
//! **What this crate must never know:** spreadsheets, the file system, tokio, clocks.

mod blocks;
mod chunks;
mod content_types;
mod deflate;
mod error;
mod limits;
mod package;
mod part;
mod part_writer;
mod relationships;
mod save;
mod sniff;
mod tree;
mod xml;
mod xml_source;

pub use blocks::Blocks;
pub use chunks::Chunks;
pub use content_types::ContentTypes;
pub use error::PackageError;
pub use limits::Limits;
pub use package::Package;
pub use part::PartReader;
pub use part_writer::PartWriter;
pub use relationships::{RelType, Relationship, Relationships};
pub use save::{Changes, SaveError};
pub use sniff::{FileKind, sniff};
pub use tree::{Node, Tree, escape_text};
pub use xml::{Element, EndName, XmlEvent, XmlReader, decode_xstring, encode_xstring, parse_bool};
