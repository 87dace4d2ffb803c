//! Tables: made, resized, renamed and taken away. Headers, columns and structured references stay one.

use grid::{CellRange, CellRef};
use ooxml::{Node, RelType, Tree, encode_xstring};

use crate::edit::error::Problem;
use crate::edit::follow::{Change, is_same};
use crate::edit::input::Input;
use crate::edit::parts::{self, WORKSHEET_ORDER};
use crate::edit::{Draft, Place, links, names};
use crate::model::{FormulaKind, RawCell, SheetId, Table};

const TABLE_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml";
const DEFAULT_STYLE: &str = "TableStyleMedium2";
/// Characters that a header may have (Excel's limit).
const MAX_HEADER: usize = 255;

const TABLE_ORDER: [&str; 5] = ["autoFilter", "sortState", "tableColumns", "tableStyleInfo", "extLst"];

/// A table, and where it is kept.
pub(crate) struct Found {
    pub(crate) sheet: SheetId,
    pub(crate) table: Table,
    pub(crate) part: String,
}

impl Draft {
    pub(crate) fn create_table(
        &mut self,
        place: Place,
        name: &str,
        style: Option<&str>,
        has_headers: bool,
    ) -> Result<(), Problem> {
        let range = place.range;
        self.check_table_name(name, None)?;
        if range.height() < 1 + u32::from(has_headers) {
            let problem = "a table has a header row and at least one row below it";
            return Err(Problem::new(problem, "give the empty row below, too").at(self.written(place)));
        }
        if range.is_whole_columns() || range.is_whole_rows() {
            let problem = "a table is not as large as whole rows or columns";
            return Err(Problem::new(problem, "give the cells from the header to the last row")
                .at(self.written(place)));
        }
        self.check_room(place, None)?;
        let count = range.width() as usize;
        let columns = match has_headers {
            true => self.name_headers(place.sheet, range, &vec![None; count])?,
            false => (1..=count).map(|number| format!("Column{number}")).collect(),
        };
        let mut frame = self.frame(place.sheet)?;
        let mut root = Node::new("table")
            .with("xmlns", main_namespace(&frame.root))
            .with("id", self.last_table_id()? + 1)
            .with("name", name)
            .with("displayName", name)
            .with("ref", range);
        match has_headers {
            true => root.push(Node::new("autoFilter").with("ref", range)),
            false => root.set("headerRowCount", "0"),
        }
        root.set("totalsRowShown", "0");
        let mut list = Node::new("tableColumns").with("count", count);
        for (id, column) in (1..).zip(&columns) {
            list.push(Node::new("tableColumn").with("id", id).with("name", header_attribute(column)));
        }
        root.push(list);
        let style = Node::new("tableStyleInfo")
            .with("name", style.unwrap_or(DEFAULT_STYLE))
            .with("showFirstColumn", 0)
            .with("showLastColumn", 0)
            .with("showRowStripes", 1)
            .with("showColumnStripes", 0);
        root.push(style);
        let part = self.new_part("xl/tables/table", ".xml");
        self.package.put(&part, Tree::new(root).to_bytes());
        self.declare(&part, TABLE_TYPE)?;
        let own = self.sheets[place.sheet.0 as usize].part.clone();
        let id = self.relate(&own, "table", &part)?;
        let prefix = links::relationship_prefix(&mut frame.root);
        let list = frame.root.child_in_order("tableParts", &WORKSHEET_ORDER);
        list.push(list.sibling("tablePart").with(&format!("{prefix}:id"), id));
        let count = list.children().count().to_string();
        list.set("count", &count);
        self.put_frame(place.sheet, &frame)
    }

    pub(crate) fn resize_table(&mut self, name: &str, place: Place) -> Result<(), Problem> {
        let found = self.table_named(name)?;
        let (old, new) = (found.table.range, place.range);
        let told = self.written(place);
        if found.sheet != place.sheet || new.intersect(old).is_none() {
            let at = self.written(Place { sheet: found.sheet, range: old });
            return Err(
                Problem::new(format!("the table stands in {at}"), "give a range that meets it").at(told)
            );
        }
        let least = 1 + found.table.header_rows + found.table.totals_rows;
        if new.start().row() != old.start().row() || new.height() < least {
            let problem = format!("the table's first row is {}", old.start().row() + 1);
            return Err(Problem::new(problem, "start there, and leave at least one row of data").at(told));
        }
        if found.table.totals_rows > 0 && new.end().row() != old.end().row() {
            let problem = "the table has a totals row, which is its last";
            return Err(Problem::new(problem, "append rows, or insert or delete rows within it").at(told));
        }
        self.check_room(place, Some(&found.table.name))?;
        self.name_own_references(&found)?;
        let kept = |col: u32| {
            let index = col.checked_sub(old.start().col()).filter(|_| col <= old.end().col())?;
            Some(index as usize)
        };
        let positions: Vec<Option<usize>> = (new.start().col()..=new.end().col()).map(kept).collect();
        for (index, column) in found.table.columns.iter().enumerate() {
            if !positions.contains(&Some(index)) {
                self.check_unmentioned(&found.table.name, Some(&column.name))?;
            }
        }
        let known: Vec<Option<String>> = positions
            .iter()
            .map(|index| index.and_then(|index| found.table.columns.get(index)).map(|it| it.name.clone()))
            .collect();
        let columns = match found.table.header_rows {
            0 => completed(&known, |_| None),
            _ => self.name_headers(place.sheet, new, &known)?,
        };
        let mut tree = self.tree(&found.part)?;
        tree.root.set("ref", &new.to_string());
        if let Some(list) = tree.root.child_mut("tableColumns") {
            let old: Vec<Node> = list.children().cloned().collect();
            let mut last_id = old.iter().filter_map(|node| node.parsed::<u32>("id")).max().unwrap_or(0);
            list.clear();
            for (index, column) in positions.iter().zip(&columns) {
                let node = index.and_then(|index| old.get(index)).cloned().unwrap_or_else(|| {
                    last_id += 1;
                    list.sibling("tableColumn").with("id", last_id).with("name", header_attribute(column))
                });
                list.push(node);
            }
            list.set("count", &columns.len().to_string());
        }
        fit_filter(&mut tree, &found.table, new, &positions);
        self.package.put(&found.part, tree.to_bytes());
        self.everything_pending = true;
        self.read_again(&[found.sheet])
    }

    pub(crate) fn rename_table(&mut self, table: &str, name: &str) -> Result<(), Problem> {
        let found = self.table_named(table)?;
        self.check_table_name(name, Some(&found.table.name))?;
        self.load_all()?;
        let mut tree = self.tree(&found.part)?;
        tree.root.set("name", name);
        tree.root.set("displayName", name);
        self.package.put(&found.part, tree.to_bytes());
        let from = found.table.name.clone();
        let change = Change::RenameTable { from: &from, to: name };
        self.follow_formulas(change, None)?;
        self.follow_parts(change)?;
        self.read_again(&[found.sheet])
    }

    pub(crate) fn rename_table_column(
        &mut self,
        table: &str,
        column: &str,
        name: &str,
    ) -> Result<(), Problem> {
        let found = self.table_named(table)?;
        let Some(index) = found.table.columns.iter().position(|known| is_same(&known.name, column)) else {
            let known: Vec<&str> = found.table.columns.iter().map(|it| it.name.as_str()).collect();
            let problem = format!("the table {:?} has no column {column:?}", found.table.name);
            return Err(Problem::new(problem, format!("there are {}", known.join(", "))));
        };
        self.rename_columns(&found, &[(index, name.to_owned())])?;
        if found.table.header_rows > 0 {
            let start = found.table.range.start();
            let at = CellRef::clamped(start.row(), start.col() + index as u32);
            let place = Place { sheet: found.sheet, range: CellRange::cell(at) };
            self.write(place, at, &Input::Text(name.to_owned()))?;
        }
        Ok(())
    }

    pub(crate) fn delete_table(&mut self, table: &str) -> Result<(), Problem> {
        let found = self.table_named(table)?;
        self.name_own_references(&found)?;
        self.check_unmentioned(&found.table.name, None)?;
        let own = self.sheets[found.sheet.0 as usize].part.clone();
        let mut tree = self.tree(&found.part)?;
        let id = tree.root.attr("id").unwrap_or_default();
        let types = self.package.content_types()?;
        for part in self
            .package
            .names()
            .filter(|name| types.of(name).is_some_and(|it| it.ends_with("slicerCache+xml")))
        {
            let mut is_its = false;
            self.tree(part)?.root.for_each_mut(&mut |node| {
                is_its |=
                    node.local_name() == "tableSlicerCache" && node.attr("tableId").as_ref() == Some(&id);
            });
            if is_its {
                let problem = format!("a slicer filters the table {:?}", found.table.name);
                return Err(Problem::new(problem, "take the slicer away in the program that made it first"));
            }
        }
        tree.root.clear();
        let depth = self.limits.package.max_xml_depth;
        let rels = self.package.relationships(&own)?;
        let id = rels.of(RelType::Table).find(|it| it.target.eq_ignore_ascii_case(&found.part));
        let id = id.map(|it| it.id.clone()).unwrap_or_default();
        let queries = self.package.relationships(&found.part)?;
        for query in queries
            .of(RelType::QueryTable)
            .filter(|it| self.package.contains(&it.target))
            .cloned()
            .collect::<Vec<_>>()
        {
            parts::remove_part(&mut self.package, depth, &found.part, &query.target)?;
        }
        let mut frame = self.frame(found.sheet)?;
        if let Some(list) = frame.root.child_mut("tableParts") {
            list.retain(|node| node.attr("id").as_ref() != Some(&id));
            let count = list.children().count().to_string();
            list.set("count", &count);
        }
        frame.root.retain(|node| node.local_name() != "tableParts" || !node.has_no_children());
        parts::remove_part(&mut self.package, depth, &own, &found.part)?;
        self.put_frame(found.sheet, &frame)
    }

    /// Columns get the names that were written into their headers. Every edit of cells ends with this.
    pub(crate) fn sync_headers(&mut self, id: SheetId) -> Result<(), Problem> {
        let sheet = self.book.sheet(id, &())?;
        for table in sheet.tables.iter().filter(|table| table.header_rows > 0) {
            let start = table.range.start();
            let mut renames = Vec::new();
            for (index, column) in table.columns.iter().enumerate() {
                let at = CellRef::clamped(start.row(), start.col() + index as u32);
                if !self.sheets[id.0 as usize].is_rewritten(at) {
                    continue;
                }
                let cell = sheet.cell(at);
                match cell.value {
                    grid::Value::Text(text) if cell.formula.is_none() => {
                        if text != column.name {
                            renames.push((index, text.to_owned()));
                        }
                    }
                    _ => {
                        let problem = format!(
                            "it is the header of column {:?} of the table {:?}",
                            column.name, table.name
                        );
                        let remedy = "a header is a text that no other column has; write one (\"2026\" for a year), or delete_table first";
                        return Err(Problem::new(problem, remedy)
                            .at(self.written(Place { sheet: id, range: CellRange::cell(at) })));
                    }
                }
            }
            if !renames.is_empty() {
                let found = self.table_named(&table.name)?;
                self.rename_columns(&found, &renames)?;
            }
        }
        Ok(())
    }

    /// Gives columns other names, in the table's part and in what refers to them.
    fn rename_columns(&mut self, found: &Found, renames: &[(usize, String)]) -> Result<(), Problem> {
        self.formulas = super::stamp();
        let new_name =
            |index: usize| renames.iter().find(|(it, _)| *it == index).map(|(_, name)| name.as_str());
        let names: Vec<&str> = (found.table.columns.iter().enumerate())
            .map(|(index, column)| new_name(index).unwrap_or(&column.name))
            .collect();
        for (index, name) in renames {
            let taken =
                names.iter().enumerate().any(|(other, known)| other != *index && is_same(known, name));
            let is_wrong = name.trim().is_empty() || name.encode_utf16().count() > MAX_HEADER;
            if taken || is_wrong {
                let problem = format!("{name:?} is no name for a column of the table {:?}", found.table.name);
                let remedy = "write 1 to 255 characters that are the name of no other column";
                return Err(Problem::new(problem, remedy));
            }
        }
        self.shape += 1;
        self.load_all()?;
        self.name_own_references(found)?;
        let mut tree = self.tree(&found.part)?;
        if let Some(list) = tree.root.child_mut("tableColumns") {
            for (index, node) in list.children_mut().enumerate() {
                if let Some(name) = new_name(index) {
                    node.set("name", &header_attribute(name));
                }
            }
        }
        self.package.put(&found.part, tree.to_bytes());
        // Names may change places: none of them is taken by the one that is renamed after it.
        let interim = |index: usize| format!("\u{a66e}{index}\u{a66e}");
        let is_exchanged = renames.iter().any(|(index, name)| {
            found
                .table
                .columns
                .iter()
                .enumerate()
                .any(|(other, known)| other != *index && is_same(&known.name, name))
        });
        let mut steps = Vec::new();
        for (index, name) in renames {
            let old = found.table.columns[*index].name.clone();
            steps.push((old, if is_exchanged { interim(*index) } else { name.clone() }));
        }
        if is_exchanged {
            steps.extend(renames.iter().map(|(index, name)| (interim(*index), name.clone())));
        }
        for (from, to) in &steps {
            let change = Change::RenameColumn { table: &found.table.name, from, to };
            self.follow_formulas(change, None)?;
            self.follow_parts(change)?;
        }
        self.read_again(&[found.sheet])
    }

    /// Formulas of a table that do not name it are made to, so that they are found by its name.
    fn name_own_references(&mut self, found: &Found) -> Result<(), Problem> {
        let sheet = self.book.sheet(found.sheet, &())?;
        let name = Some(found.table.name.as_str());
        let mut named = Vec::new();
        for (at, cell) in sheet.cells_by_row(found.table.range) {
            let text = cell.formula.map(|id| sheet.formula_text(at, id)).filter(|text| text.contains('['));
            named.extend(text.and_then(|text| formula::qualify(&text, name)).map(|text| (at, text)));
        }
        for (at, text) in named {
            let mut hand = self.hand(Place { sheet: found.sheet, range: CellRange::cell(at) })?;
            let formula = hand.formula(&text)?.formula;
            let cell = hand.sheet.raw_cell(at);
            hand.put(at, RawCell { formula, ..cell });
        }
        let mut tree = self.tree(&found.part)?;
        let mut is_changed = false;
        tree.root.for_each_mut(&mut |node| {
            if !matches!(node.local_name(), "calculatedColumnFormula" | "totalsRowFormula") {
                return;
            }
            if let Some(text) = formula::qualify(&node.text(), name) {
                node.set_text(&text);
                is_changed = true;
            }
        });
        if is_changed {
            self.package.put(&found.part, tree.to_bytes());
        }
        Ok(())
    }

    /// A formula as files hold it: structured references name their table.
    pub(crate) fn qualified(
        &self,
        id: SheetId,
        at: CellRef,
        formula: &str,
    ) -> Result<Option<String>, Problem> {
        if !formula.contains('[') {
            return Ok(None);
        }
        let sheet = self.book.sheet(id, &())?;
        let home = sheet.tables.iter().find(|table| table.range.contains(at));
        Ok(formula::qualify(formula, home.map(|table| table.name.as_str())))
    }

    /// A table by its name.
    pub(crate) fn table_named(&self, name: &str) -> Result<Found, Problem> {
        let mut known = Vec::new();
        for id in self.book.sheet_ids() {
            let sheet = self.book.sheet(id, &())?;
            known.extend(sheet.tables.iter().map(|table| table.name.clone()));
            let Some(table) = sheet.tables.iter().find(|table| is_same(&table.name, name)) else { continue };
            let rels = self.package.relationships(&self.sheets[id.0 as usize].part)?;
            for related in rels.of(RelType::Table).filter(|it| self.package.contains(&it.target)) {
                let root = self.tree(&related.target)?.root;
                if root.attr("displayName").or_else(|| root.attr("name")).is_some_and(|it| is_same(&it, name))
                {
                    return Ok(Found { sheet: id, table: table.clone(), part: related.target.clone() });
                }
            }
        }
        known.truncate(20);
        let remedy = if known.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        Err(Problem::new(format!("there is no table {name:?}"), remedy))
    }

    fn check_table_name(&self, name: &str, own: Option<&str>) -> Result<(), Problem> {
        if own.is_some_and(|own| is_same(own, name)) {
            return Ok(());
        }
        names::check_name(name)?;
        self.check_no_table(name)?;
        match self.book.names.iter().find(|known| is_same(&known.name, name)) {
            Some(known) => {
                let problem = format!("there is a name {:?} already", known.name);
                Err(Problem::new(problem, "tables and names share their names; take another one"))
            }
            None => Ok(()),
        }
    }

    /// Whether a table may stand in a place.
    fn check_room(&self, place: Place, own: Option<&str>) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let meets = |range: CellRange| range.intersect(place.range).is_some();
        let refused = |what: String, remedy: &str| {
            Err(Problem::new(format!("the cells meet {what}"), remedy).at(self.written(place)))
        };
        if let Some(table) = sheet.tables.iter().find(|it| meets(it.range) && Some(it.name.as_str()) != own) {
            return refused(
                format!("the table {:?} in {}", table.name, table.range),
                "give other cells, or resize that table",
            );
        }
        if let Some(merge) = sheet.merges.iter().copied().find(|it| meets(*it)) {
            return refused(format!("the merged range {merge}"), "unmerge it first");
        }
        if let Some(range) = sheet.pivots.iter().filter_map(|it| it.range).find(|it| meets(*it)) {
            return refused(format!("the pivot table in {range}"), "give other cells");
        }
        if let Some(filter) = sheet.auto_filter.as_ref().filter(|it| meets(it.range)) {
            return refused(
                format!("the sheet's filter in {}", filter.range),
                "remove it first: auto_filter with the sheet alone",
            );
        }
        for (_, formula) in sheet.formulas().iter() {
            let (FormulaKind::Array { range, .. } | FormulaKind::DataTable { range }) = formula.kind else {
                continue;
            };
            let stands =
                sheet.raw_cell(range.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula);
            if stands && !range.is_single() && meets(range) {
                return refused(
                    format!("the array formula in {range}"),
                    "no table has one; give other cells",
                );
            }
        }
        Ok(())
    }

    /// References that nothing could stand for when a table or a column of it is gone.
    fn check_unmentioned(&self, table: &str, column: Option<&str>) -> Result<(), Problem> {
        let mentions = |text: &str| match column {
            Some(column) => formula::rename_table_column(text, table, column, "x").is_some(),
            None => formula::rename_table(text, table, "x").is_some(),
        };
        let what = column
            .map_or_else(|| format!("the table {table:?}"), |it| format!("the column {it:?} of {table:?}"));
        let told = |place: String| {
            let remedy = "write ranges such as $A$2:$A$9 in its place first";
            Err(Problem::new(format!("the formula of {place} refers to {what}"), remedy))
        };
        for id in self.book.sheet_ids() {
            let sheet = self.book.sheet(id, &())?;
            let found: Vec<_> =
                sheet.formulas().iter().filter(|(_, it)| mentions(&it.text)).map(|(id, _)| id).collect();
            if found.is_empty() {
                continue;
            }
            let first = sheet
                .cells_by_row(CellRange::ALL)
                .find(|(_, cell)| cell.formula.is_some_and(|it| found.contains(&it)));
            if let Some((at, _)) = first {
                return told(self.written(Place { sheet: id, range: CellRange::cell(at) }));
            }
        }
        match self.book.names.iter().find(|name| mentions(&name.refers_to)) {
            Some(name) => told(format!("the name {}", name.name)),
            None => Ok(()),
        }
    }

    fn last_table_id(&self) -> Result<u32, Problem> {
        let types = self.package.content_types()?;
        let mut last = 0;
        for part in self.package.names().filter(|name| types.of(name) == Some(TABLE_TYPE)) {
            last = last.max(self.tree(part)?.root.parsed("id").unwrap_or(0));
        }
        Ok(last)
    }

    /// Names for the columns of a table from its header cells, which become texts that differ; `known` ones stay.
    fn name_headers(
        &mut self,
        id: SheetId,
        range: CellRange,
        known: &[Option<String>],
    ) -> Result<Vec<String>, Problem> {
        let sheet = self.book.sheet(id, &())?;
        let (start, dates) = (range.start(), self.book.date_system);
        let at = |index: usize| CellRef::clamped(start.row(), start.col() + index as u32);
        let shown = |index: usize| {
            let cell = sheet.cell(at(index));
            let text = self.book.styles.text(cell.value, cell.style, dates);
            (!text.trim().is_empty()).then(|| text.chars().take(MAX_HEADER).collect())
        };
        let names = completed(known, shown);
        for (index, name) in names.iter().enumerate() {
            let cell = sheet.cell(at(index));
            if cell.formula.is_some() || cell.value != grid::Value::Text(name) {
                let place = Place { sheet: id, range: CellRange::cell(at(index)) };
                self.prepare(place)?;
                self.write(place, at(index), &Input::Text(name.clone()))?;
            }
        }
        Ok(names)
    }
}

/// Names of columns: those that are known, else what is shown, else `Column1`, …; each once.
fn completed(known: &[Option<String>], shown: impl Fn(usize) -> Option<String>) -> Vec<String> {
    let mut names: Vec<String> = known.iter().flatten().cloned().collect();
    let mut all = Vec::with_capacity(known.len());
    for (index, name) in known.iter().enumerate() {
        let name = name.clone().unwrap_or_else(|| {
            let is_free = |name: &String| !names.iter().any(|taken| is_same(taken, name));
            let own = shown(index);
            let numbered = |base: &str, first: usize| {
                (first..).map(|number| format!("{base}{number}")).find(is_free).unwrap_or_default()
            };
            let name = match own {
                Some(own) if is_free(&own) => own,
                Some(own) => numbered(&own, 2),
                None => numbered("Column", index + 1),
            };
            names.push(name.clone());
            name
        });
        all.push(name);
    }
    all
}

/// The filter and the order of a table that was resized.
fn fit_filter(tree: &mut Tree, table: &Table, new: CellRange, positions: &[Option<usize>]) {
    let last = new.end().row() - table.totals_rows;
    let filtered = CellRange::from_bounds(new.start().row(), new.start().col(), last, new.end().col());
    let has_filter = tree.root.child("autoFilter").is_some();
    if let Some(range) = filtered.filter(|_| has_filter) {
        let filter = tree.root.child_in_order("autoFilter", &TABLE_ORDER);
        filter.set("ref", &range.to_string());
        filter.retain_mut(|column| match column.parsed::<usize>("colId") {
            Some(old) => match positions.iter().position(|kept| *kept == Some(old)) {
                Some(new) => {
                    column.set("colId", &new.to_string());
                    true
                }
                None => false,
            },
            None => column.local_name() != "sortState",
        });
    }
    tree.root.retain(|node| node.local_name() != "sortState");
}

/// A header's text as an attribute of its column.
fn header_attribute(name: &str) -> String {
    encode_xstring(name).replace('\n', "_x000a_")
}

/// The namespace of a part's own elements.
pub(crate) fn main_namespace(root: &Node) -> String {
    let own = match root.name().split_once(':') {
        Some((prefix, _)) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    };
    let known = root.attrs().into_iter().find(|(name, _)| *name == own).map(|(_, uri)| uri);
    known.unwrap_or_else(|| "http://schemas.openxmlformats.org/spreadsheetml/2006/main".to_owned())
}
