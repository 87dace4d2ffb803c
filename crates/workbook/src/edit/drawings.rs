//! Drawings of sheets: objects placed in them and taken away.

use grid::{Address, CellRange};
use ooxml::{Node, RelType, Tree};

use crate::edit::error::Problem;
use crate::edit::follow::is_same;
use crate::edit::parts::{self, WORKSHEET_ORDER};
use crate::edit::{Draft, links};
use crate::model::SheetId;

const DRAWING_TYPE: &str = "application/vnd.openxmlformats-officedocument.drawing+xml";
pub(crate) const SHEET_DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing";
pub(crate) const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
pub(crate) const RELATIONSHIP: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// What an anchor says of its object.
pub(crate) struct Object {
    /// The id and the name that no other object of the drawing has.
    pub(crate) id: u32,
    pub(crate) name: String,
    /// The relationship that leads to what it shows.
    pub(crate) reference: String,
}

impl Draft {
    /// Puts an object into a sheet's drawing: `anchor` writes its element.
    pub(crate) fn draw(
        &mut self,
        id: SheetId,
        name: (&str, Option<&str>),
        target: (&str, &str),
        anchor: impl FnOnce(&Object) -> String,
    ) -> Result<(), Problem> {
        let known = self.objects(id)?;
        let name = match name {
            (_, Some(name)) if known.iter().any(|it| is_same(it, name)) => {
                return Err(Problem::new(
                    format!("there is an object {name:?} on the sheet already"),
                    "take another name",
                ));
            }
            (_, Some(name)) => name.to_owned(),
            (base, None) => (1..)
                .map(|number| format!("{base} {number}"))
                .find(|name| !known.iter().any(|it| is_same(it, name)))
                .unwrap_or_default(),
        };
        let part = self.drawing_part(id)?;
        let reference = self.relate(&part, target.0, target.1)?;
        let mut tree = self.tree(&part)?;
        let mut last: u32 = 1;
        tree.root.for_each_mut(&mut |node| {
            if node.local_name() == "cNvPr" {
                last = last.max(node.parsed("id").unwrap_or(0));
            }
        });
        let node = Node::parse(&anchor(&Object { id: last.saturating_add(1), name, reference }))?;
        tree.root.push(node);
        self.package.put(&part, tree.to_bytes());
        self.read_again(&[id])
    }

    /// Takes a chart, a picture or a shape away.
    pub(crate) fn delete_object(&mut self, sheet: Option<&str>, name: &str) -> Result<(), Problem> {
        let id = self.sheet_of_object(sheet, name)?;
        let part = self.drawing_part(id)?;
        let mut tree = self.tree(&part)?;
        let mut gone: Vec<Node> = Vec::new();
        let mut is_grouped = false;
        tree.root.retain(|node| {
            let named = names_in(node);
            if gone.is_empty() && named.iter().any(|it| is_same(it, name)) {
                is_grouped = named.len() > 1 && !is_same(&named[0], name);
                gone.push(node.clone());
                return false;
            }
            true
        });
        if is_grouped {
            let problem = format!("the object {name:?} is one of a group");
            return Err(Problem::new(problem, "delete the group by its name"));
        }
        let depth = self.limits.package.max_xml_depth;
        let left = tree.root.to_xml();
        let is_empty = tree.root.has_no_children();
        self.package.put(&part, tree.to_bytes());
        let rels = self.package.relationships(&part)?;
        for anchor in &mut gone {
            let mut references = Vec::new();
            anchor.for_each_mut(&mut |node| {
                references.extend(node.attrs().into_iter().map(|(_, value)| value));
            });
            for found in references.iter().filter_map(|it| rels.by_id(it)).filter(|found| !found.is_external)
            {
                let is_used = left.contains(&format!("\"{}\"", found.id));
                let is_own = matches!(found.kind, RelType::Chart | RelType::ChartEx);
                if is_used || !self.package.contains(&found.target) {
                    continue;
                }
                if is_own {
                    self.remove_with_related(&part, &found.target)?;
                } else {
                    // A picture may be shown elsewhere, too; what nobody shows is small beside the risk.
                    self.drop_relationship(&part, &found.id)?;
                }
            }
        }
        if is_empty {
            let mut frame = self.frame(id)?;
            let own = self.sheets[id.0 as usize].part.clone();
            parts::remove_part(&mut self.package, depth, &own, &part)?;
            frame.root.retain(|node| node.local_name() != "drawing");
            return self.put_frame(id, &frame);
        }
        self.read_again(&[id])
    }

    /// Takes a chart's part away with its colours and styles.
    fn remove_with_related(&mut self, from: &str, part: &str) -> Result<(), Problem> {
        let depth = self.limits.package.max_xml_depth;
        let rels = self.package.relationships(part)?;
        let related: Vec<String> = (rels.iter())
            .filter(|it| {
                !it.is_external && matches!(&it.kind, RelType::Other(kind) if kind.starts_with("chart"))
            })
            .map(|it| it.target.clone())
            .collect();
        for target in related.iter().filter(|it| it.to_ascii_lowercase().starts_with("xl/charts/")) {
            parts::remove_part(&mut self.package, depth, part, target)?;
        }
        parts::remove_part(&mut self.package, depth, from, part)
    }

    fn drop_relationship(&mut self, from: &str, id: &str) -> Result<(), Problem> {
        let rels = parts::rels_part(from);
        let mut tree = self.tree(&rels)?;
        tree.root.retain(|node| node.attr("Id").as_deref() != Some(id));
        self.package.put(&rels, tree.to_bytes());
        Ok(())
    }

    /// The sheet that has an object of a name.
    pub(crate) fn sheet_of_object(&self, sheet: Option<&str>, name: &str) -> Result<SheetId, Problem> {
        let own = sheet.map(|sheet| self.sheet_named(sheet)).transpose()?;
        let mut found = Vec::new();
        for id in self.book.sheet_ids().filter(|id| own.is_none_or(|own| own == *id)) {
            if self.objects(id)?.iter().any(|it| is_same(it, name)) {
                found.push(id);
            }
        }
        match found[..] {
            [id] => Ok(id),
            [] => Err(Problem::new(
                format!("there is no object {name:?}"),
                "see the charts, images and shapes of the sheets",
            )),
            [..] => Err(Problem::new(
                format!("{} sheets have an object {name:?}", found.len()),
                "say which sheet is meant",
            )),
        }
    }

    /// Names of everything in a sheet's drawing.
    fn objects(&self, id: SheetId) -> Result<Vec<String>, Problem> {
        let rels = self.package.relationships(&self.sheets[id.0 as usize].part)?;
        match rels.target(RelType::Drawing).filter(|part| self.package.contains(part)) {
            Some(part) => Ok(names_in(&self.tree(part)?.root)),
            None => Ok(Vec::new()),
        }
    }

    /// The part of a sheet's drawing, made if there is none.
    fn drawing_part(&mut self, id: SheetId) -> Result<String, Problem> {
        let own = self.sheets[id.0 as usize].part.clone();
        let mut frame = self.frame(id)?;
        if let Some(reference) = frame.root.child("drawing").and_then(|node| node.attr("id")) {
            let rels = self.package.relationships(&own)?;
            let part = rels.by_id(&reference).map(|found| found.target.clone());
            return part.filter(|part| self.package.contains(part)).ok_or_else(|| {
                Problem::new(
                    "the sheet's drawing is missing from the package",
                    "re-save the workbook in its program",
                )
            });
        }
        let root = Node::new("xdr:wsDr").with("xmlns:xdr", SHEET_DRAWING).with("xmlns:a", DRAWING);
        let part = self.new_part("xl/drawings/drawing", ".xml");
        self.package.put(&part, Tree::new(root).to_bytes());
        self.declare(&part, DRAWING_TYPE)?;
        let reference = self.relate(&own, "drawing", &part)?;
        let prefix = links::relationship_prefix(&mut frame.root);
        frame.root.child_in_order("drawing", &WORKSHEET_ORDER).set(&format!("{prefix}:id"), &reference);
        self.put_frame(id, &frame)?;
        Ok(part)
    }

    /// The cells that an object is to cover on a sheet.
    pub(crate) fn anchor(&self, sheet: &str, text: &str) -> Result<(SheetId, CellRange), Problem> {
        let id = self.sheet_named(sheet)?;
        let address = text.parse::<Address>();
        match address {
            Ok(Address::Range { sheet: named, range })
                if named.as_ref().is_none_or(|it| is_same(it, sheet)) =>
            {
                Ok((id, range))
            }
            _ => Err(Problem::new(
                format!("{text:?} is no range of the sheet {sheet:?}"),
                "write the cells to cover: E2:L20",
            )),
        }
    }
}

/// The two corners of an object that covers cells.
pub(crate) fn corners(range: CellRange) -> String {
    let corner = |name: &str, row: u32, col: u32| {
        format!(
            "<xdr:{name}><xdr:col>{col}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:{name}>"
        )
    };
    let (start, end) = (range.start(), range.end());
    // The lower corner stands at the start of the cell behind the last one.
    let last = ((end.row() + 1).min(grid::MAX_ROWS - 1), (end.col() + 1).min(grid::MAX_COLS - 1));
    corner("from", start.row(), start.col()) + &corner("to", last.0, last.1)
}

/// Names of objects in an element, outer ones first.
fn names_in(node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    let mut root = node.clone();
    root.for_each_mut(&mut |node| {
        if node.local_name() == "cNvPr" {
            names.extend(node.attr("name"));
        }
    });
    names
}
