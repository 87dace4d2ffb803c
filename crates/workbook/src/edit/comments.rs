//! Notes: the text in one part, and in another the drawing that old programs, and Excel still, show it with.

use grid::{CellRange, CellRef, MAX_COLS, MAX_ROWS};
use ooxml::{Node, RelType, Tree, encode_xstring};
use regex::{Captures, Regex};

use crate::edit::error::Problem;
use crate::edit::input::MAX_TEXT;
use crate::edit::parts::{self, WORKSHEET_ORDER};
use crate::edit::tables::main_namespace;
use crate::edit::{Draft, Place, links};
use crate::model::SheetId;

const COMMENTS_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml";
const VML_TYPE: &str = "application/vnd.openxmlformats-officedocument.vmlDrawing";
/// Shapes of one drawing are numbered within blocks of as many.
const BLOCK: u32 = 1024;
const NAMESPACES: [(&str, &str); 3] = [
    ("v", "urn:schemas-microsoft-com:vml"),
    ("o", "urn:schemas-microsoft-com:office:office"),
    ("x", "urn:schemas-microsoft-com:office:excel"),
];
const SHAPE_TYPE: &str = r#"<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"#;

impl Draft {
    /// Writes a cell's note, in the place of one that it has.
    pub(crate) fn comment(&mut self, place: Place, text: &str, author: Option<&str>) -> Result<(), Problem> {
        let told = self.written(place);
        if !place.range.is_single() {
            return Err(Problem::new("a note belongs to one cell", "give one cell").at(told));
        }
        if text.trim().is_empty() || text.encode_utf16().count() > MAX_TEXT {
            let remedy = "write 1 to 32767 characters, or delete_comment";
            return Err(Problem::new("the text is empty or too long for a note", remedy).at(told));
        }
        let at = place.range.start();
        let sheet = self.book.sheet(place.sheet, &())?;
        let known = sheet.comments.iter().find(|comment| comment.cell == at);
        if known.is_some_and(|comment| comment.threaded) {
            let problem = "the cell has a thread of comments, beside which no note can stand";
            return Err(Problem::new(problem, "delete_comment takes the thread away").at(told));
        }
        let part = self.comments_part(place.sheet)?;
        let mut tree = self.tree(&part)?;
        let kept = known.map(|comment| comment.author.clone()).unwrap_or_default();
        let author = author_id(&mut tree.root, author.unwrap_or(&kept));
        let list = tree.root.child_in_order("commentList", &["authors", "commentList", "extLst"]);
        let mut node = list.sibling("comment").with("ref", at).with("authorId", author).with("shapeId", 0);
        let run = list.sibling("t").with("xml:space", "preserve").with_text(&encode_xstring(text));
        node.push(list.sibling("text").with_child(run));
        let is_here = |node: &Node| node.attr("ref").as_deref() == Some(&at.to_string());
        let is_new = !list.children().any(is_here);
        list.retain(|node| !is_here(node));
        list.push(node);
        self.package.put(&part, tree.to_bytes());
        if is_new {
            self.draw_note(place.sheet, at)?;
        }
        self.read_again(&[place.sheet])
    }

    /// Takes notes and threads away; gives whether there were any.
    pub(crate) fn delete_comments(&mut self, place: Place) -> Result<bool, Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        if !sheet.comments.iter().any(|comment| place.range.contains(comment.cell)) {
            return Ok(false);
        }
        let own = self.sheets[place.sheet.0 as usize].part.clone();
        let depth = self.limits.package.max_xml_depth;
        let rels = self.package.relationships(&own)?;
        let is_inside = |node: &Node| {
            let cell = node.attr("ref").and_then(|text| text.parse::<CellRange>().ok());
            cell.is_some_and(|cell| place.range.contains(cell.start()))
        };
        let lists = rels.of(RelType::Comments).chain(rels.of(RelType::ThreadedComment));
        let lists: Vec<String> = lists.map(|found| found.target.clone()).collect();
        for part in lists {
            if !self.package.contains(&part) {
                continue;
            }
            let mut tree = self.tree(&part)?;
            let list = match tree.root.child_mut("commentList") {
                Some(list) => list,
                None => &mut tree.root,
            };
            let before = list.children().count();
            list.retain(|node| !is_inside(node));
            let after = list.children().count();
            match after {
                0 => parts::remove_part(&mut self.package, depth, &own, &part)?,
                _ if after < before => self.package.put(&part, tree.to_bytes()),
                _ => {}
            }
        }
        self.erase_notes(place)?;
        self.read_again(&[place.sheet])?;
        Ok(true)
    }

    /// The part of a sheet's notes, made if there is none.
    fn comments_part(&mut self, id: SheetId) -> Result<String, Problem> {
        let own = self.sheets[id.0 as usize].part.clone();
        let rels = self.package.relationships(&own)?;
        if let Some(part) = rels.target(RelType::Comments).filter(|part| self.package.contains(part)) {
            return Ok(part.to_owned());
        }
        let namespace = main_namespace(&self.frame(id)?.root);
        let root = Node::new("comments").with("xmlns", namespace);
        let root = root.with_child(Node::new("authors")).with_child(Node::new("commentList"));
        let part = self.new_part("xl/comments", ".xml");
        self.package.put(&part, Tree::new(root).to_bytes());
        self.declare(&part, COMMENTS_TYPE)?;
        self.relate(&own, "comments", &part)?;
        Ok(part)
    }

    /// The part of a sheet's legacy drawing, if it has one.
    fn legacy_drawing(&self, id: SheetId, frame: &Tree) -> Result<Option<String>, Problem> {
        let Some(reference) = frame.root.child("legacyDrawing").and_then(|node| node.attr("id")) else {
            return Ok(None);
        };
        let rels = self.package.relationships(&self.sheets[id.0 as usize].part)?;
        let part = rels.by_id(&reference).map(|found| found.target.clone());
        Ok(part.filter(|part| self.package.contains(part)))
    }

    fn vml(&self, part: &str) -> Result<String, Problem> {
        String::from_utf8(self.package.part(part)?).map_err(|_| {
            Problem::new(format!("{part} is not written in UTF-8"), "re-save the workbook in its program")
        })
    }

    /// Adds the shape of a new note.
    fn draw_note(&mut self, id: SheetId, at: CellRef) -> Result<(), Problem> {
        let mut frame = self.frame(id)?;
        let known = self.legacy_drawing(id, &frame)?;
        let block = id.0 + 1;
        let vml = match &known {
            Some(part) => self.vml(part)?,
            None => {
                let spaces = NAMESPACES.map(|(prefix, uri)| format!(" xmlns:{prefix}=\"{uri}\"")).concat();
                format!(
                    "<xml{spaces}><o:shapelayout v:ext=\"edit\"><o:idmap v:ext=\"edit\" data=\"{block}\"/></o:shapelayout></xml>"
                )
            }
        };
        let Some(end) = vml.rfind("</") else {
            return Err(Problem::new(
                "the drawing of the sheet's notes is damaged",
                "re-save the workbook in its program",
            ));
        };
        let ids = Regex::new(r"_x0000_s(\d+)").expect("invariant: the pattern is sound");
        let last = ids.captures_iter(&vml).filter_map(|found| found[1].parse::<u32>().ok()).max();
        let number = last.map_or(block * BLOCK + 1, |last| last.saturating_add(1));
        let spaces: String = (NAMESPACES.iter())
            .filter(|(prefix, _)| !vml.contains(&format!("xmlns:{prefix}=")))
            .map(|(prefix, uri)| format!(" xmlns:{prefix}=\"{uri}\""))
            .collect();
        let mut new = vml[..end].to_owned();
        if !vml.contains("id=\"_x0000_t202\"") && !vml.contains("id='_x0000_t202'") {
            new.push_str(&SHAPE_TYPE.replacen("<v:shapetype", &format!("<v:shapetype{spaces}"), 1));
        }
        new.push_str(&note_shape(&spaces, number, at));
        new.push_str(&vml[end..]);
        match known {
            Some(part) => self.package.put(&part, new.into_bytes()),
            None => {
                let part = self.new_part("xl/drawings/vmlDrawing", ".vml");
                self.package.put(&part, new.into_bytes());
                self.declare(&part, VML_TYPE)?;
                let own = self.sheets[id.0 as usize].part.clone();
                let reference = self.relate(&own, "vmlDrawing", &part)?;
                let prefix = links::relationship_prefix(&mut frame.root);
                frame.root.retain(|node| node.local_name() != "legacyDrawing");
                frame
                    .root
                    .child_in_order("legacyDrawing", &WORKSHEET_ORDER)
                    .set(&format!("{prefix}:id"), &reference);
                self.put_frame(id, &frame)?;
            }
        }
        Ok(())
    }

    /// Takes the shapes of notes away, and a drawing that has no shape left.
    fn erase_notes(&mut self, place: Place) -> Result<(), Problem> {
        let mut frame = self.frame(place.sheet)?;
        let Some(part) = self.legacy_drawing(place.sheet, &frame)? else { return Ok(()) };
        let vml = self.vml(&part)?;
        let shapes = Regex::new(r"(?s)<v:shape\b.*?</v:shape>\s*").expect("invariant: the pattern is sound");
        let index = |shape: &str, name: &str| {
            let (_, rest) = shape.split_once(&format!("<x:{name}>"))?;
            rest.split('<').next()?.trim().parse::<u32>().ok()
        };
        let is_inside = |shape: &str| {
            let cell = index(shape, "Row").zip(index(shape, "Column"));
            let cell = cell.and_then(|(row, col)| CellRef::new(row, col));
            shape.contains("ObjectType=\"Note\"") && cell.is_some_and(|cell| place.range.contains(cell))
        };
        let kept =
            shapes.replace_all(
                &vml,
                |shape: &Captures<'_>| {
                    if is_inside(&shape[0]) { String::new() } else { shape[0].to_owned() }
                },
            );
        if kept.contains("<v:shape ") || kept.contains("<v:group") || kept.contains("<v:rect") {
            if kept != vml {
                self.package.put(&part, kept.into_owned().into_bytes());
            }
            return Ok(());
        }
        let own = self.sheets[place.sheet.0 as usize].part.clone();
        parts::remove_part(&mut self.package, self.limits.package.max_xml_depth, &own, &part)?;
        frame.root.retain(|node| node.local_name() != "legacyDrawing");
        self.put_frame(place.sheet, &frame)
    }
}

/// The position of an author in the part's list, to which it is added if it is not there.
fn author_id(root: &mut Node, author: &str) -> usize {
    let list = root.child_in_order("authors", &["authors", "commentList", "extLst"]);
    let found = list.children().position(|node| node.text() == author);
    found.unwrap_or_else(|| {
        list.push(list.sibling("author").with_text(author));
        list.children().count() - 1
    })
}

/// The hidden box that shows a note beside its cell.
fn note_shape(spaces: &str, number: u32, at: CellRef) -> String {
    let (row, col) = (at.row(), at.col());
    let left = (col + 1).min(MAX_COLS - 3);
    let top = row.saturating_sub(1).min(MAX_ROWS - 6);
    format!(
        "<v:shape{spaces} id=\"_x0000_s{number}\" type=\"#_x0000_t202\" style=\"position:absolute;margin-left:60pt;margin-top:2pt;width:108pt;\
         height:60pt;z-index:1;visibility:hidden\" fillcolor=\"#ffffe1\" o:insetmode=\"auto\"><v:fill color2=\"#ffffe1\"/>\
         <v:shadow on=\"t\" color=\"black\" obscured=\"t\"/><v:path o:connecttype=\"none\"/><v:textbox \
         style=\"mso-direction-alt:auto\"><div style=\"text-align:left\"></div></v:textbox><x:ClientData ObjectType=\"Note\">\
         <x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{left}, 15, {top}, 2, {}, 31, {}, 1</x:Anchor><x:AutoFill>False</x:AutoFill>\
         <x:Row>{row}</x:Row><x:Column>{col}</x:Column></x:ClientData></v:shape>",
        left + 2,
        top + 4,
    )
}
