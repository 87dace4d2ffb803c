//! How long a worker takes: `cargo run --release -p office --example measure [FILE …]`.
//!
//! Prints the seconds of a cold start, of warm jobs on a small workbook, of a chain of 100,000 formulas and of a picture;
//! and of each file that is named.

use std::error::Error;
use std::time::Instant;
use std::{env, fs};

use office::{Document, Office, OfficeOptions, PictureRequest};
use rust_xlsxwriter::{Formula, Workbook};

/// `1` in A1, and below it formulas that add 1 to the cell above.
fn chain(length: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, 1)?;
    for row in 1..length {
        sheet.write(row, 0, Formula::new(format!("=A{row}+1")).set_result("0"))?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let mut options = OfficeOptions::new(scratch.path());
    options.workers = 1;
    let office = Office::new(options);
    println!("{:?}", office.availability());

    let measure = |what: &str, bytes: &[u8], extension: &str| {
        let started = Instant::now();
        let result = office.calculate(&Document { bytes, extension }, &|| false);
        let cells = result.map(|sheets| sheets.iter().map(|sheet| sheet.cells.len()).sum::<usize>());
        println!("{:8.3} s  {what}: {cells:?} cells", started.elapsed().as_secs_f64());
    };
    let small = chain(100)?;
    measure("cold start and a small workbook", &small, "xlsx");
    for _ in 0..5 {
        measure("small workbook, warm", &small, "xlsx");
    }
    let long = chain(100_000)?;
    for _ in 0..3 {
        measure("chain of 100,000 formulas", &long, "xlsx");
    }
    let request = PictureRequest {
        sheet: "Sheet1".to_owned(),
        first_row: 0,
        first_column: 0,
        last_row: 39,
        last_column: 11,
        dpi: 96,
        headings: true,
        gridlines: true,
        max_dimension_px: 4096,
        max_area_px: 8_000_000,
    };
    for _ in 0..3 {
        let started = Instant::now();
        let png = office.picture(&Document { bytes: &small, extension: "xlsx" }, &request, &|| false)?;
        println!("{:8.3} s  picture of A1:L40: {} bytes", started.elapsed().as_secs_f64(), png.len());
    }
    for file in env::args_os().skip(1) {
        let extension = file.to_string_lossy().rsplit('.').next().unwrap_or_default().to_owned();
        measure(&file.to_string_lossy(), &fs::read(&file)?, &extension);
    }
    println!("{:?}", office.counts());
    Ok(())
}
