//! Columns of tables that come and go with those of their sheet.

use formula::{Change as Count, Direction, LostColumns, Resize};
use grid::{CellRange, CellRef};
use ooxml::RelType;

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::edit::follow::{Change, is_same};
use crate::edit::structure::{is_inside, touches};
use crate::model::SheetId;

impl Draft {
    /// Structured references to columns that go are lost.
    pub(crate) fn lose_table_columns(&mut self, id: SheetId, resize: Resize) -> Result<(), Problem> {
        let (Count::Delete(count), Direction::Column) = (resize.change, resize.direction) else {
            return Ok(());
        };
        let sheet = self.book.sheet(id, &())?;
        for table in sheet.tables.iter().filter(|table| touches(resize, count, table.range)) {
            let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            let start = table.range.start().col();
            let (first, end) = (resize.at.max(start), resize.at.saturating_add(count));
            let change = Change::LoseColumns(LostColumns {
                table: &table.name,
                columns: &columns,
                first: (first - start) as usize,
                count: (end - first) as usize,
            });
            self.follow_formulas(change, None)?;
            self.follow_parts(change)?;
        }
        Ok(())
    }

    /// Columns of tables come and go with those of the sheet.
    pub(crate) fn resize_tables(
        &mut self,
        id: SheetId,
        resize: Resize,
    ) -> Result<Vec<(CellRef, String)>, Problem> {
        let mut headers = Vec::new();
        if resize.direction != Direction::Column {
            return Ok(headers);
        }
        let rels = self.package.relationships(&self.sheets[id.0 as usize].part)?;
        let parts: Vec<String> = rels.of(RelType::Table).map(|found| found.target.clone()).collect();
        for part in parts {
            let mut tree = self.tree(&part)?;
            let Some(range) = tree.root.attr("ref").and_then(|text| text.parse::<CellRange>().ok()) else {
                continue;
            };
            let first = range.start().col();
            let is_touched = match resize.change {
                Count::Insert(_) => is_inside(resize, range),
                Count::Delete(count) => touches(resize, count, range),
            };
            if !is_touched {
                continue;
            }
            let has_header = tree.root.attr("headerRowCount").as_deref() != Some("0");
            let Some(columns) = tree.root.child_mut("tableColumns") else { continue };
            match resize.change {
                Count::Delete(count) => {
                    let mut position = 0;
                    let gone = resize.at..resize.at.saturating_add(count);
                    columns.retain(|_| {
                        position += 1;
                        !gone.contains(&(first + position - 1))
                    });
                }
                Count::Insert(count) => {
                    let names: Vec<String> =
                        columns.children().filter_map(|node| node.attr("name")).collect();
                    let last_id =
                        columns.children().filter_map(|node| node.parsed::<u32>("id")).max().unwrap_or(0);
                    let free = (1..).map(|number| format!("Column{number}"));
                    let free = free.filter(|name| !names.iter().any(|known| is_same(known, name)));
                    for (step, name) in (0..count).zip(free) {
                        let node =
                            columns.sibling("tableColumn").with("id", last_id + 1 + step).with("name", &name);
                        columns.insert((resize.at - first + step) as usize, node);
                        if has_header {
                            headers.push((CellRef::clamped(range.start().row(), resize.at + step), name));
                        }
                    }
                }
            }
            let count = columns.children().count().to_string();
            columns.set("count", &count);
            self.package.put(&part, tree.to_bytes());
        }
        Ok(headers)
    }
}
