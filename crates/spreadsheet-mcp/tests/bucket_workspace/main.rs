//! A workspace in a bucket, through the whole program over MCP: real S3 servers, and what stands between them and us.

mod away;
mod flows;
mod gate;
mod keys;
mod many;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod racing;
mod writing;

use std::{fs, path::PathBuf};

use components::S3;

use crate::program::Place;

/// The prefix of the workspace within the bucket.
const PREFIX: &str = "finance/open books";

/// A workspace below a prefix of a bucket of that server, reached by a port.
fn place_by(s3: &S3, port: u16) -> Place {
    let mut place = Place::new();
    place.workspace = format!("{}/{}", s3.url(), PREFIX.replace(' ', "%20")).into();
    let settings = s3.settings_by(port).into_iter();
    place.environment = settings.map(|(name, value)| (name.to_uppercase(), value)).collect();
    place
}

fn place(s3: &S3) -> Place {
    place_by(s3, s3.port())
}

/// The file of an object of `s3s-fs`.
fn file(s3: &S3, key: &str) -> PathBuf {
    let path = s3.folder().join(PREFIX).join(key);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    path
}

/// Writes an object: a workbook with one text on its sheet, `Data`.
fn write_workbook(s3: &S3, key: &str, text: &str) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Data").expect("a name");
    sheet.write_string(0, 0, text).expect("a cell");
    book.save(file(s3, key)).expect("saved");
}
