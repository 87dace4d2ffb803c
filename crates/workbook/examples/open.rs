//! Opens workbooks, loads every sheet, and prints what that took.

use std::sync::Arc;
use std::time::Instant;

use workbook::{Limits, Workbook};

fn main() {
    for path in std::env::args().skip(1) {
        let start = Instant::now();
        let bytes: Arc<[u8]> = match std::fs::read(&path) {
            Ok(bytes) => bytes.into(),
            Err(error) => {
                println!("{path}: {error}");
                continue;
            }
        };
        let opened = Workbook::open(bytes, &path, &Limits::default(), &());
        let loaded = opened.and_then(|book| {
            let opened_after = start.elapsed();
            let sheets = book.sheets(2, &())?;
            let cells: u64 = sheets.iter().map(|sheet| sheet.cell_count()).sum();
            Ok((opened_after, cells, book.bytes(), sheets.len()))
        });
        match loaded {
            Ok((opened_after, cells, bytes, sheets)) => println!(
                "{path}: {sheets} sheets, {cells} cells, {bytes} bytes; {:.3} s, loaded {:.3} s",
                opened_after.as_secs_f64(),
                start.elapsed().as_secs_f64()
            ),
            Err(error) => println!("{path}: {error} ({:.3} s)", start.elapsed().as_secs_f64()),
        }
    }
}
