//! How a sheet is printed (ECMA-376 Part 1 §18.3.1.46, 62, 63, 70).

use grid::CellRange;
use ooxml::{Node, Tree};
use serde::{Deserialize, Serialize};

use crate::edit::error::Problem;
use crate::edit::names::absolute;
use crate::edit::parts::WORKSHEET_ORDER;
use crate::edit::{Draft, Place};
use crate::model::SheetId;

/// Characters that a header or footer may have (Excel's limit).
const MAX_HEADER: usize = 255;
const SHEET_PROPERTIES: [&str; 3] = ["tabColor", "outlinePr", "pageSetUpPr"];
const HEADERS: [&str; 6] =
    ["oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"];
const PAPERS: [(&str, u32); 10] = [
    ("letter", 1),
    ("tabloid", 3),
    ("ledger", 4),
    ("legal", 5),
    ("executive", 7),
    ("a3", 8),
    ("a4", 9),
    ("a5", 11),
    ("b4", 12),
    ("b5", 13),
];

/// A change of how a sheet is printed; what is not given stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct PageSetup {
    /// The sheet.
    pub sheet: String,
    /// How the paper lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// `letter`, `tabloid`, `ledger`, `legal`, `executive`, `a3`, `a4`, `a5`, `b4`, `b5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper_size: Option<String>,
    /// Per cent, 10 to 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// As many pages wide; 0 for as many as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_to_width: Option<u32>,
    /// As many pages high; 0 for as many as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_to_height: Option<u32>,
    /// In inches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margins: Option<Margins>,
    /// What is printed above every page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderFooter>,
    /// What is printed below every page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<HeaderFooter>,
    /// Whether the cells stand in the middle between left and right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_horizontally: Option<bool>,
    /// Whether the cells stand in the middle between top and bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_vertically: Option<bool>,
    /// Whether lines between cells are printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gridlines: Option<bool>,
    /// Whether the letters of columns and the numbers of rows are printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headings: Option<bool>,
}

/// How the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Orientation {
    Portrait,
    Landscape,
}

/// Margins in inches; what is not given stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Margins {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottom: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<f64>,
}

/// A header or footer as a whole: `&P` is the page, `&N` their number, `&D` the date, `&F` the file, `&A` the sheet, `&&`
/// an ampersand. Without any part it is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct HeaderFooter {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub left: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub center: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub right: String,
}

impl HeaderFooter {
    fn code(&self) -> Result<String, Problem> {
        let parts = [("&L", &self.left), ("&C", &self.center), ("&R", &self.right)];
        let code: String = parts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(part, text)| format!("{part}{text}"))
            .collect();
        if code.encode_utf16().count() > MAX_HEADER {
            return Err(Problem::new(
                format!("a header or footer has at most {MAX_HEADER} characters"),
                "shorten it",
            ));
        }
        Ok(code)
    }
}

impl Draft {
    pub(crate) fn page_setup(&mut self, setup: &PageSetup) -> Result<(), Problem> {
        let id = self.sheet_named(&setup.sheet)?;
        if *setup == (PageSetup { sheet: setup.sheet.clone(), ..PageSetup::default() }) {
            return Err(Problem::new(
                "nothing is given to set",
                "give for example orientation: \"landscape\"",
            ));
        }
        let mut tree = self.frame(id)?;
        set_page(&mut tree, setup)?;
        set_margins(&mut tree.root, setup.margins)?;
        let options = [
            ("horizontalCentered", setup.center_horizontally),
            ("verticalCentered", setup.center_vertically),
            ("gridLines", setup.gridlines),
            ("headings", setup.headings),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                let node = tree.root.child_in_order("printOptions", &WORKSHEET_ORDER);
                node.set_or_unset(name, value.then_some("1"));
            }
        }
        for (name, text) in [("oddHeader", &setup.header), ("oddFooter", &setup.footer)] {
            let Some(text) = text else { continue };
            let code = text.code()?;
            let node = tree.root.child_in_order("headerFooter", &WORKSHEET_ORDER);
            match code.is_empty() {
                true => node.retain(|child| child.local_name() != name),
                false => node.child_in_order(name, &HEADERS).set_text(&code),
            }
        }
        self.put_frame(id, &tree)
    }

    /// Prints a range alone; without one, all of the sheet again.
    pub(crate) fn print_area(&mut self, sheet: SheetId, range: Option<CellRange>) -> Result<(), Problem> {
        let refers_to = range.map(|range| self.reference(sheet, range));
        self.put_name("_xlnm.Print_Area", Some(sheet), refers_to.as_deref(), |_| {})
    }

    /// Repeats rows and columns on every page; none of both for none.
    pub(crate) fn print_titles(
        &mut self,
        sheet: &str,
        rows: Option<&str>,
        columns: Option<&str>,
    ) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        let range = |text: &str, is_whole: fn(CellRange) -> bool, remedy: &str| {
            let range: Option<CellRange> = text.trim().parse().ok().filter(|range| is_whole(*range));
            range.ok_or_else(|| Problem::new(format!("{text:?} cannot be repeated"), remedy))
        };
        let rows = rows.map(|rows| range(rows, CellRange::is_whole_rows, "write rows as 1:2")).transpose()?;
        let columns = columns
            .map(|columns| range(columns, CellRange::is_whole_columns, "write columns as A:B"))
            .transpose()?;
        let name = grid::quote(&self.book.tab(id).name).into_owned();
        let parts: Vec<String> = [columns, rows]
            .into_iter()
            .flatten()
            .map(|range| format!("{name}!{}", absolute(range)))
            .collect();
        let refers_to = Some(parts.join(",")).filter(|text| !text.is_empty());
        self.put_name("_xlnm.Print_Titles", Some(id), refers_to.as_deref(), |_| {})
    }

    /// The sheet of an edit that says either a range or, to take something away, a sheet alone.
    pub(crate) fn range_or_sheet(
        &self,
        range: Option<Place>,
        sheet: Option<&str>,
    ) -> Result<(SheetId, Option<CellRange>), Problem> {
        match (range, sheet) {
            (Some(place), None) => Ok((place.sheet, Some(place.range))),
            (None, Some(sheet)) => Ok((self.sheet_named(sheet)?, None)),
            _ => Err(Problem::new(
                "either a range or a sheet is to be given",
                "write range: \"Data!A1:D9\" to set it, or sheet: \"Data\" to take it away",
            )),
        }
    }
}

fn set_page(tree: &mut Tree, setup: &PageSetup) -> Result<(), Problem> {
    let fits = setup.fit_to_width.is_some() || setup.fit_to_height.is_some();
    if let Some(scale) = setup.scale {
        if fits || !(10..=400).contains(&scale) {
            let problem = format!("a scale of {scale} per cent");
            return Err(Problem::new(problem, "write 10 to 400, or fit_to_width and fit_to_height"));
        }
        if let Some(properties) =
            tree.root.child_mut("sheetPr").and_then(|node| node.child_mut("pageSetUpPr"))
        {
            properties.unset("fitToPage");
        }
    }
    if fits {
        let properties = tree.root.child_in_order("sheetPr", &WORKSHEET_ORDER);
        properties.child_in_order("pageSetUpPr", &SHEET_PROPERTIES).set("fitToPage", "1");
    }
    let paper = setup.paper_size.as_deref().map(paper).transpose()?;
    let orientation = setup.orientation.map(|orientation| match orientation {
        Orientation::Portrait => "portrait".to_owned(),
        Orientation::Landscape => "landscape".to_owned(),
    });
    let attributes = [
        ("paperSize", paper),
        ("scale", setup.scale),
        ("fitToWidth", setup.fit_to_width),
        ("fitToHeight", setup.fit_to_height),
    ];
    if attributes.iter().any(|(name, value)| name.starts_with("fit") && value.is_some_and(|it| it > 32_767)) {
        return Err(Problem::new("a sheet fits to at most 32767 pages", ""));
    }
    let attributes = attributes.map(|(name, value)| (name, value.map(|value| value.to_string())));
    for (name, value) in attributes.into_iter().chain([("orientation", orientation)]) {
        if let Some(value) = value {
            tree.root.child_in_order("pageSetup", &WORKSHEET_ORDER).set(name, &value);
        }
    }
    Ok(())
}

fn paper(name: &str) -> Result<u32, Problem> {
    let folded = name.to_ascii_lowercase();
    let known = PAPERS.iter().find(|(known, _)| *known == folded).map(|(_, number)| *number);
    known.ok_or_else(|| {
        let names: Vec<&str> = PAPERS.iter().map(|(name, _)| *name).collect();
        Problem::new(format!("{name:?} is no paper size"), format!("write one of {}", names.join(", ")))
    })
}

fn set_margins(root: &mut Node, margins: Option<Margins>) -> Result<(), Problem> {
    let Some(margins) = margins else { return Ok(()) };
    // All of them are required; these are Excel's own.
    let attributes = [
        ("left", margins.left, "0.7"),
        ("right", margins.right, "0.7"),
        ("top", margins.top, "0.75"),
        ("bottom", margins.bottom, "0.75"),
        ("header", margins.header, "0.3"),
        ("footer", margins.footer, "0.3"),
    ];
    let node = root.child_in_order("pageMargins", &WORKSHEET_ORDER);
    for (name, value, default) in attributes {
        match value {
            Some(value) if !(0.0..49.0).contains(&value) => {
                return Err(Problem::new(format!("a margin of {value} inches"), "write 0 to 49"));
            }
            Some(value) => node.set(name, &value.to_string()),
            None if node.attr(name).is_none() => node.set(name, default),
            None => {}
        }
    }
    Ok(())
}
