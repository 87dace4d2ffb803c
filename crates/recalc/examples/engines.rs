//! How long the engine takes: the two workbooks that the benchmarks are about, loaded, computed, and computed again after one
//! change.

use std::sync::Arc;
use std::time::Instant;

use analysis::formulas::Area;
use anyhow::Result;
use fixtures::Sequence;
use recalc::formualizer::{Formualizer, Overrides};
use recalc::{Engine, Moment, Source};
use rust_xlsxwriter::{Formula, Workbook as Writer};
use workbook::{Limits, RawCell, RawValue, Sheet, SheetBuilder, SheetId, Workbook};

const MOMENT: Moment = Moment { local_millis: 1_700_000_000_000, seed: 1 };

fn main() -> Result<()> {
    measure("chain of 100,000 and 20,000 sums over windows", &chain()?, "A1")?;
    measure("50,000 x 12 and 5,000 lookups", &fixtures::benchmark::lookups()?, "D2")?;
    measure("scalar functions, 50,000", &functions()?, "A1")?;
    measure("operators and conditions, 40,000", &operators()?, "A1")?;
    Ok(())
}

fn chain() -> Result<Vec<u8>> {
    let mut workbook = Writer::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, 1)?;
    for row in 1..100_000u32 {
        sheet.write_formula(row, 0, Formula::new(format!("=A{row}+1")))?;
    }
    for row in 0..20_000u32 {
        sheet.write_formula(row, 1, Formula::new(format!("=SUM(A{}:A{})", row + 1, row + 50)))?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn functions() -> Result<Vec<u8>> {
    let mut workbook = Writer::new();
    let sheet = workbook.add_worksheet();
    let mut numbers = Sequence::new(1);
    for row in 0..10_000u32 {
        let at = row + 1;
        sheet.write(row, 0, 1 + numbers.below(10_000))?;
        sheet.write(row, 1, format!("Text {}", numbers.below(100)))?;
        sheet.write_formula(row, 2, Formula::new(format!("=ROUND(A{at}/3,2)")))?;
        sheet.write_formula(row, 3, Formula::new(format!("=LEFT(B{at},3)&LEN(B{at})")))?;
        sheet.write_formula(
            row,
            4,
            Formula::new(format!("=IF(A{at}>5000,YEAR(A{at}),DATE(2020,1,A{at}))")),
        )?;
        sheet.write_formula(row, 5, Formula::new(format!("=PMT(0.05/12,360,A{at})")))?;
        sheet.write_formula(row, 6, Formula::new(format!("=TEXT(A{at},\"#,##0.00\")")))?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn operators() -> Result<Vec<u8>> {
    let mut workbook = Writer::new();
    let sheet = workbook.add_worksheet();
    let mut numbers = Sequence::new(1);
    for row in 0..10_000u32 {
        let at = row + 1;
        sheet.write(row, 0, 1 + numbers.below(10_000))?;
        sheet.write(row, 1, format!("Text {}", numbers.below(100)))?;
        sheet.write_formula(row, 2, Formula::new(format!("=B{at}&\" \"&A{at}")))?;
        sheet.write_formula(row, 3, Formula::new(format!("=(1+A{at}/1000)^A{at}")))?;
        sheet.write_formula(row, 4, Formula::new(format!("=SUMIFS(A:A,B:B,B{at},A:A,\">\"&A{at})")))?;
        sheet.write_formula(row, 5, Formula::new(format!("=COUNTIFS(B:B,B{at})")))?;
    }
    for row in 0..20u32 {
        let text = format!("=SUM(SUMIFS(A$1:A$10000,B$1:B$10000,{{\"Text 1\",\"Text {row}\"}}))");
        sheet.write_formula(row, 6, Formula::new(text))?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn measure(what: &str, bytes: &[u8], input: &str) -> Result<()> {
    let book = Workbook::open(bytes.into(), "book.xlsx", &Limits::default(), &())?;
    let sheets = book.sheets(2, &())?;
    let changed = changed(&book, &sheets, input)?;
    for overrides in [Overrides::None, Overrides::Ours] {
        let start = Instant::now();
        let mut engine = Formualizer::load_with(Source { book: &book, sheets: &sheets }, overrides)?;
        let loaded = start.elapsed();
        let start = Instant::now();
        engine.calculate(MOMENT, &|| false)?;
        let computed = start.elapsed();
        let start = Instant::now();
        let area = Area { sheet: SheetId(0), range: input.parse()? };
        engine.update(Source { book: &book, sheets: &changed }, &[area])?;
        engine.calculate(MOMENT, &|| false)?;
        println!(
            "{what}, {overrides:?}: load {loaded:.3?}, compute {computed:.3?}, one change {:.3?}",
            start.elapsed()
        );
    }
    Ok(())
}

/// The sheets with another number in one cell of the first.
fn changed(book: &Workbook, sheets: &[Arc<Sheet>], input: &str) -> Result<Vec<Arc<Sheet>>> {
    let first = &sheets[0];
    let mut builder = SheetBuilder::new(&first.name, Arc::clone(&book.shared_strings), &Limits::default());
    for (_, formula) in first.formulas().iter() {
        builder.formula(formula.clone())?;
    }
    for (col, column) in first.columns() {
        for (row, cell) in column.cells(0..=grid::MAX_ROWS - 1) {
            builder.set(grid::CellRef::clamped(row, col), cell)?;
        }
    }
    builder.set(input.parse()?, RawCell { value: RawValue::Number(7.0), ..RawCell::default() })?;
    let mut sheets = sheets.to_vec();
    sheets[0] = Arc::new(builder.finish());
    Ok(sheets)
}
