//! Defined names, those that programs make for themselves among them (ECMA-376 Part 1 §18.2.5).

use grid::{Address, CellRange, CellRef};
use ooxml::Node;

use crate::edit::error::Problem;
use crate::edit::follow::is_same;
use crate::edit::input::stored_formula;
use crate::edit::parts::WORKBOOK_ORDER;
use crate::edit::{Draft, Places};
use crate::model::SheetId;

/// Characters that a name may have (Excel's limit).
const MAX_NAME: usize = 255;
/// Characters that what a name stands for may have.
const MAX_FORMULA: usize = 8192;

/// What is said of a name.
pub(crate) struct Definition<'a> {
    pub(crate) name: &'a str,
    pub(crate) refers_to: &'a str,
    pub(crate) comment: Option<&'a str>,
    pub(crate) hidden: Option<bool>,
}

impl Draft {
    /// Makes a name or changes it, and gives what it stands for in its explicit form.
    pub(crate) fn define_name(
        &mut self,
        definition: &Definition<'_>,
        sheet: Option<&str>,
        places: &dyn Places,
    ) -> Result<String, Problem> {
        let name = definition.name;
        check_name(name)?;
        let scope = sheet.map(|sheet| self.sheet_named(sheet)).transpose()?;
        if scope.is_none() {
            self.check_no_table(name)?;
        }
        let refers_to = self.explicit_formula(definition.refers_to, places)?;
        if refers_to.is_empty() || refers_to.chars().count() > MAX_FORMULA {
            return Err(Problem::new(
                format!("{name} stands for nothing, or for more than {MAX_FORMULA} characters"),
                "give refers_to, for example Data!A1:A9 or =SUM(Data!$B:$B)",
            ));
        }
        let refers_to = stored_formula(&refers_to)?;
        self.check_reach(&refers_to)?;
        self.reads_others |= formula::reads_other_book(&refers_to);
        self.put_name(name, scope, Some(&refers_to), |node| {
            if let Some(comment) = definition.comment {
                node.set_or_unset("comment", Some(comment).filter(|comment| !comment.is_empty()));
            }
            if let Some(hidden) = definition.hidden {
                node.set_or_unset("hidden", hidden.then_some("1"));
            }
        })?;
        self.everything_pending = true;
        Ok(format!("={refers_to}"))
    }

    pub(crate) fn delete_name(&mut self, name: &str, sheet: Option<&str>) -> Result<(), Problem> {
        let scope = sheet.map(|sheet| self.sheet_named(sheet)).transpose()?;
        if !self.book.names.iter().any(|known| known.scope == scope && is_same(&known.name, name)) {
            let elsewhere = self.book.names.iter().find(|known| is_same(&known.name, name));
            let remedy = match elsewhere.map(|known| known.scope) {
                Some(Some(id)) => format!("it belongs to a sheet; add sheet: {:?}", self.book.tab(id).name),
                Some(None) => "it belongs to the workbook; leave sheet out".to_owned(),
                None => "names are listed when the workbook is described".to_owned(),
            };
            return Err(Problem::new(format!("there is no such name {name:?}"), remedy));
        }
        self.put_name(name, scope, None, |_| {})?;
        self.everything_pending = true;
        Ok(())
    }

    /// Writes a name behind the others or where it stands, or takes it away; then `change` has the rest of its say.
    pub(crate) fn put_name(
        &mut self,
        name: &str,
        scope: Option<SheetId>,
        refers_to: Option<&str>,
        change: impl FnOnce(&mut Node),
    ) -> Result<(), Problem> {
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        let is_it = |node: &Node| {
            node.attr("name").is_some_and(|known| is_same(&known, name))
                && node.parsed("localSheetId").map(SheetId) == scope
        };
        let list = tree.root.child_in_order("definedNames", &WORKBOOK_ORDER);
        match refers_to {
            Some(refers_to) => {
                if !list.children().any(is_it) {
                    let mut node = list.sibling("definedName").with("name", name);
                    if let Some(id) = scope {
                        node.set("localSheetId", &id.0.to_string());
                    }
                    list.push(node);
                }
                if let Some(node) = list.children_mut().find(|node| is_it(node)) {
                    node.set_text(refers_to);
                    change(node);
                }
            }
            None => list.retain(|node| !is_it(node)),
        }
        if list.has_no_children() {
            tree.root.retain(|node| node.local_name() != "definedNames");
        }
        self.package.put(&main, tree.to_bytes());
        self.read_again(&[])
    }

    /// A formula as a rule or a name keeps it: a reference that stands alone becomes absolute, with its sheet.
    pub(crate) fn explicit_formula(&self, text: &str, places: &dyn Places) -> Result<String, Problem> {
        let formula = text.trim();
        let formula = formula.strip_prefix('=').unwrap_or(formula).trim();
        if formula.contains('$') {
            return Ok(formula.to_owned());
        }
        match formula.parse::<Address>() {
            Ok(address @ Address::Range { .. }) => {
                let (sheet, range) = places
                    .find(&self.book, &address)
                    .map_err(|problem| Problem::new(problem, "").at(formula))?;
                Ok(self.reference(sheet, range))
            }
            _ => Ok(formula.to_owned()),
        }
    }

    /// Cells as an absolute reference with their sheet: `Data!$A$1:$B$9`.
    pub(crate) fn reference(&self, sheet: SheetId, range: CellRange) -> String {
        format!("{}!{}", grid::quote(&self.book.tab(sheet).name), absolute(range))
    }

    pub(crate) fn check_no_table(&self, name: &str) -> Result<(), Problem> {
        for id in self.book.sheet_ids() {
            let sheet = self.book.sheet(id, &())?;
            if sheet.tables.iter().any(|table| is_same(&table.name, name)) {
                let problem = format!("there is a table {name:?} already");
                return Err(Problem::new(problem, "tables and names share their names; take another one"));
            }
        }
        Ok(())
    }
}

/// Whether a name is one that programs take.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let wrong = |problem: &str| {
        let remedy =
            "start with a letter, _ or \\ and go on with letters, digits, . and _; not as a cell is written";
        Err(Problem::new(format!("{name:?} {problem}"), remedy))
    };
    if name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("_xlnm.")) {
        return Err(Problem::new(
            format!("{name:?} is a name that programs make for themselves"),
            "use print_area, print_titles or auto_filter",
        ));
    }
    if name.encode_utf16().count() > MAX_NAME {
        return wrong("is longer than 255 characters");
    }
    let is_address = matches!(name.parse(), Ok(Address::Name { sheet: None, .. }));
    if name.parse::<CellRef>().is_ok() || is_r1c1(name) {
        return wrong("is how a cell is written");
    }
    if !is_address || name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false") {
        return wrong("is no name");
    }
    Ok(())
}

/// Whether a text is a reference in the R1C1 notation: `R`, `c`, `R1C1`, `rc5`.
fn is_r1c1(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let column = |text: &str| text.is_empty() || text.strip_prefix('C').is_some_and(digits);
    match upper.strip_prefix('R') {
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            column(&rest[length..])
        }
        None => !upper.is_empty() && column(&upper),
    }
}

/// A range with every row and column absolute.
pub(crate) fn absolute(range: CellRange) -> String {
    let (start, end) = (range.start(), range.end());
    let column = grid::column_letters;
    if range.is_whole_columns() && !range.is_whole_rows() {
        return format!("${}:${}", column(start.col()), column(end.col()));
    }
    if range.is_whole_rows() {
        return format!("${}:${}", start.row() + 1, end.row() + 1);
    }
    let cell = |at: CellRef| format!("${}${}", column(at.col()), at.row() + 1);
    if range.is_single() { cell(start) } else { format!("{}:{}", cell(start), cell(end)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken() {
        for name in ["Rate", "_x", "\\a", "Größe", "Total.2026", "TaxRate1", "RC_1", "ABCD1", "Car"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "A1",
            "xfd1",
            "R",
            "c",
            "R1C1",
            "r5",
            "RC",
            "1a",
            "a b",
            "a-b",
            "TRUE",
            "Data!x",
            "_xlnm.Print_Area",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
