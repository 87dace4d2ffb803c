//! Sheets that come, go, and change their name or place.

use std::sync::Arc;

use ooxml::{Node, RelType, Tree};

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::edit::follow::{Change, is_same};
use crate::edit::op::Visible;
use crate::edit::parts::{self, WORKBOOK_ORDER};
use crate::edit::sheet_edit::SheetEdit;
use crate::model::{SheetBuilder, SheetId, Tab, Visibility};

const WORKSHEET_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
/// An empty sheet's part.
pub(crate) const EMPTY_SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheetData/></worksheet>"#;
/// Characters that a sheet's name may have (Excel's limit).
const MAX_NAME: usize = 31;

impl Draft {
    pub(crate) fn add_sheet(&mut self, name: &str, position: Option<usize>) -> Result<(), Problem> {
        self.check_sheet_name(name, None)?;
        let position = self.position(position)?;
        if position < self.book.tabs.len() {
            self.sheets_changed()?;
        }
        let part = self.new_part("xl/worksheets/sheet", ".xml");
        self.package.put(&part, Tree::new(Node::parse(EMPTY_SHEET)?).to_bytes());
        let mut sheet = SheetBuilder::new(name, Arc::clone(&self.book.shared_strings), &self.limits).finish();
        sheet.part.clone_from(&part);
        self.list_sheet(name, &part, position)?;
        self.book.tabs.insert(position, Tab::of(sheet));
        self.sheets.insert(position, Arc::new(SheetEdit::new_sheet(&part)));
        self.read_again(&[])
    }

    pub(crate) fn rename_sheet(&mut self, sheet: &str, name: &str) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        let from = self.book.tab(id).name.clone();
        if from == name {
            return Ok(());
        }
        self.check_sheet_name(name, Some(id))?;
        self.load_all()?;
        let change = Change::Rename { from: &from, to: name };
        self.follow_formulas(change, None)?;
        self.edit_sheet_list(|list| {
            if let Some(node) = list.children_mut().nth(id.0 as usize) {
                node.set("name", name);
            }
        })?;
        self.book.tabs[id.0 as usize].name = name.to_owned();
        self.book.sheet_mut(id)?.name = name.to_owned();
        self.follow_parts(change)?;
        self.rename_in_properties(&from, name)
    }

    pub(crate) fn move_sheet(&mut self, sheet: &str, position: usize) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        let to = self.position(Some(position))?.min(self.book.tabs.len() - 1);
        let from = id.0 as usize;
        self.sheets_changed()?;
        let mut order: Vec<usize> = (0..self.book.tabs.len()).collect();
        order.remove(from);
        order.insert(to, from);
        let places = |old: usize| order.iter().position(|known| *known == old);
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        if let Some(list) = tree.root.child_mut("sheets") {
            let nodes: Vec<Node> = list.children().cloned().collect();
            let moved = nodes[from].clone();
            let mut position = 0;
            list.retain(|_| {
                position += 1;
                position - 1 != from
            });
            list.insert(to, moved);
        }
        renumber(&mut tree, places);
        self.package.put(&main, tree.to_bytes());
        let tab = self.book.tabs.remove(from);
        self.book.tabs.insert(to, tab);
        let edit = self.sheets.remove(from);
        self.sheets.insert(to, edit);
        self.read_again(&[])
    }

    pub(crate) fn copy_sheet(
        &mut self,
        sheet: &str,
        name: &str,
        position: Option<usize>,
    ) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        self.check_sheet_name(name, None)?;
        let position = self.position(position.or(Some(id.0 as usize + 2)))?;
        let mut frame = self.frame(id)?;
        // What has parts of its own stays with the original.
        frame.root.retain(|node| {
            !matches!(
                node.local_name(),
                "drawing"
                    | "legacyDrawing"
                    | "legacyDrawingHF"
                    | "drawingHF"
                    | "tableParts"
                    | "oleObjects"
                    | "controls"
                    | "picture"
                    | "customProperties"
                    | "webPublishItems"
            )
        });
        frame.root.for_each_mut(&mut |node| {
            // Relationships, such as a printer's settings or an external link's, are the original's.
            for (name, _) in node.attrs().into_iter().filter(|(name, _)| name.ends_with(":id")) {
                node.unset(&name);
            }
        });
        if let Some(links) = frame.root.child_mut("hyperlinks") {
            links.retain(|node| node.attr("location").is_some());
        }
        frame.root.retain(|node| node.local_name() != "hyperlinks" || !node.has_no_children());
        if let Some(views) = frame.root.child_mut("sheetViews") {
            views.children_mut().for_each(|view| view.unset("tabSelected"));
        }
        let part = self.new_part("xl/worksheets/sheet", ".xml");
        self.package.put(&part, frame.to_bytes());
        let mut copy = (*self.book.sheet(id, &())?).clone();
        copy.name = name.to_owned();
        copy.part.clone_from(&part);
        let from = self.book.tab(id).name.clone();
        let mut edit = (*self.sheets[id.0 as usize]).clone();
        edit.part.clone_from(&part);
        if position < self.book.tabs.len() {
            self.sheets_changed()?;
        }
        self.list_sheet(name, &part, position)?;
        self.copy_local_names(id, position, &from, name)?;
        self.book.tabs.insert(position, Tab::of(copy));
        self.sheets.insert(position, Arc::new(edit));
        self.formulas_changed = true;
        self.read_again(&[SheetId(position as u32)])
    }

    pub(crate) fn delete_sheet(&mut self, sheet: &str) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        let is_shown = |tab: &Tab| tab.visibility == Visibility::Visible;
        let others =
            self.book.tabs.iter().enumerate().filter(|(index, tab)| *index != id.0 as usize && is_shown(tab));
        if others.count() == 0 {
            return Err(
                Problem::new("no visible sheet would be left", "add or show another one first").at(sheet)
            );
        }
        self.load_all()?;
        let name = self.book.tab(id).name.clone();
        let names: Vec<String> = self.book.tabs.iter().map(|tab| tab.name.clone()).collect();
        let order: Vec<&str> = names.iter().map(String::as_str).collect();
        let change = Change::Lose { sheet: &name, order: &order };
        self.follow_formulas(change, None)?;
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        let mut position = 0;
        if let Some(list) = tree.root.child_mut("sheets") {
            list.retain(|_| {
                position += 1;
                position - 1 != id.0 as usize
            });
        }
        renumber(&mut tree, |old| match old.cmp(&(id.0 as usize)) {
            std::cmp::Ordering::Less => Some(old),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(old - 1),
        });
        self.package.put(&main, tree.to_bytes());
        let part = self.sheets[id.0 as usize].part.clone();
        self.remove_with_its_own(&main, &part)?;
        self.book.tabs.remove(id.0 as usize);
        self.sheets.remove(id.0 as usize);
        self.formulas_changed = true;
        self.everything_pending = true;
        self.follow_parts(change)
    }

    pub(crate) fn set_visibility(&mut self, sheet: &str, visibility: Visible) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        let (state, visibility) = match visibility {
            Visible::Visible => (None, Visibility::Visible),
            Visible::Hidden => (Some("hidden"), Visibility::Hidden),
            Visible::VeryHidden => (Some("veryHidden"), Visibility::VeryHidden),
        };
        let shown = self
            .book
            .tabs
            .iter()
            .enumerate()
            .filter(|(index, tab)| *index != id.0 as usize && tab.visibility == Visibility::Visible);
        if visibility != Visibility::Visible && shown.count() == 0 {
            return Err(Problem::new("no visible sheet would be left", "show another one first").at(sheet));
        }
        self.edit_sheet_list(|list| {
            if let Some(node) = list.children_mut().nth(id.0 as usize) {
                node.set_or_unset("state", state);
            }
        })?;
        self.book.tabs[id.0 as usize].visibility = visibility;
        self.book.sheet_mut(id)?.visibility = visibility;
        Ok(())
    }

    /// A sheet by its name.
    pub(crate) fn sheet_named(&self, name: &str) -> Result<SheetId, Problem> {
        self.book.sheet_id(name).ok_or_else(|| {
            let known: Vec<&str> = self.book.tabs.iter().take(20).map(|tab| tab.name.as_str()).collect();
            Problem::new(format!("there is no sheet {name:?}"), format!("there are {}", known.join(", ")))
        })
    }

    fn check_sheet_name(&self, name: &str, own: Option<SheetId>) -> Result<(), Problem> {
        let wrong = |problem: &str| {
            let remedy =
                format!("write 1 to {MAX_NAME} characters without : \\ / ? * [ ] and not ' at either end");
            Err(Problem::new(format!("{name:?} {problem}"), remedy))
        };
        if name.is_empty() || name.encode_utf16().count() > MAX_NAME {
            return wrong("is too short or too long for a sheet's name");
        }
        if name.contains([':', '\\', '/', '?', '*', '[', ']']) || name.contains(char::is_control) {
            return wrong("has a character that no sheet's name may have");
        }
        if name.starts_with('\'') || name.ends_with('\'') || is_same(name, "history") {
            return wrong("is no name that a sheet may have");
        }
        match self
            .book
            .tabs
            .iter()
            .zip(0..)
            .find(|(tab, id)| is_same(&tab.name, name) && own != Some(SheetId(*id)))
        {
            Some((tab, _)) => {
                let problem = format!("there is a sheet {:?} already", tab.name);
                Err(Problem::new(problem, "upper and lower case are the same; take another name"))
            }
            None => Ok(()),
        }
    }

    /// A position among the tabs, from 0.
    fn position(&self, position: Option<usize>) -> Result<usize, Problem> {
        let count = self.book.tabs.len();
        match position {
            None => Ok(count),
            Some(position @ 1..) if position <= count + 1 => Ok(position - 1),
            Some(position) => Err(Problem::new(
                format!("there is no position {position}"),
                format!("write 1 to {}", count + 1),
            )),
        }
    }

    /// A part's name that is free.
    pub(crate) fn new_part(&self, head: &str, tail: &str) -> String {
        let free = |number: &u32| !self.package.contains(&format!("{head}{number}{tail}"));
        let number = (1..).find(free).unwrap_or(u32::MAX);
        format!("{head}{number}{tail}")
    }

    /// Lists a new sheet in the workbook part.
    fn list_sheet(&mut self, name: &str, part: &str, position: usize) -> Result<(), Problem> {
        self.declare(part, WORKSHEET_TYPE)?;
        let main = self.main_part()?;
        let id = self.relate(&main, "worksheet", part)?;
        let mut tree = self.tree(&main)?;
        let list = tree.root.child_in_order("sheets", &WORKBOOK_ORDER);
        let last = list.children().filter_map(|node| node.parsed::<u32>("sheetId")).max().unwrap_or(0);
        // The prefix that the part uses for relationships.
        let known = list.children().next().map(Node::attrs).unwrap_or_default();
        let key = known
            .iter()
            .map(|(key, _)| key.as_str())
            .find(|key| key.ends_with(":id"))
            .unwrap_or("r:id")
            .to_owned();
        let node = list.sibling("sheet").with("name", name).with("sheetId", last + 1).with(&key, &id);
        list.insert(position, node);
        renumber(&mut tree, |old| Some(if old >= position { old + 1 } else { old }));
        self.package.put(&main, tree.to_bytes());
        Ok(())
    }

    fn edit_sheet_list(&mut self, change: impl FnOnce(&mut Node)) -> Result<(), Problem> {
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        change(tree.root.child_in_order("sheets", &WORKBOOK_ORDER));
        self.package.put(&main, tree.to_bytes());
        Ok(())
    }

    /// Names that belong to a sheet belong to its copy, too.
    fn copy_local_names(&mut self, id: SheetId, copy: usize, from: &str, to: &str) -> Result<(), Problem> {
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        let original = if copy <= id.0 as usize { id.0 as usize + 1 } else { id.0 as usize };
        let Some(names) = tree.root.child_mut("definedNames") else { return Ok(()) };
        let own: Vec<Node> =
            names.children().filter(|node| node.parsed("localSheetId") == Some(original)).cloned().collect();
        for mut node in own {
            node.set("localSheetId", &copy.to_string());
            let text = node.text();
            if let Some(new) = formula::rename_sheet(&text, from, to) {
                node.set_text(&new);
            }
            names.push(node);
        }
        self.package.put(&main, tree.to_bytes());
        Ok(())
    }

    /// Takes a sheet's part away with the parts that belong to it alone.
    fn remove_with_its_own(&mut self, main: &str, part: &str) -> Result<(), Problem> {
        let depth = self.limits.package.max_xml_depth;
        let rels = self.package.relationships(part)?;
        let own = [
            RelType::Table,
            RelType::Comments,
            RelType::ThreadedComment,
            RelType::VmlDrawing,
            RelType::PrinterSettings,
            RelType::ControlProperties,
        ];
        let targets: Vec<String> =
            own.into_iter().flat_map(|kind| rels.of(kind)).map(|found| found.target.clone()).collect();
        let drawings: Vec<String> = rels.of(RelType::Drawing).map(|found| found.target.clone()).collect();
        for drawing in &drawings {
            let related = self.package.relationships(drawing)?;
            let charts: Vec<String> = related
                .of(RelType::Chart)
                .chain(related.of(RelType::ChartEx))
                .map(|found| found.target.clone())
                .collect();
            for chart in charts {
                parts::remove_part(&mut self.package, depth, drawing, &chart)?;
            }
        }
        for target in targets.into_iter().chain(drawings) {
            if self.package.contains(&target) {
                parts::remove_part(&mut self.package, depth, part, &target)?;
            }
        }
        parts::remove_part(&mut self.package, depth, main, part)
    }

    /// The list of titles in the document's properties, which programs show before they open the file.
    fn rename_in_properties(&mut self, from: &str, to: &str) -> Result<(), Problem> {
        let rels = self.package.relationships("")?;
        let part = rels.target(RelType::ExtendedProperties).filter(|part| self.package.contains(part));
        let Some(part) = part.map(str::to_owned) else { return Ok(()) };
        let Ok(mut tree) = self.tree(&part) else { return Ok(()) };
        let mut is_done = false;
        tree.root.for_each_mut(&mut |node| {
            if !is_done && node.local_name() == "lpstr" && node.text() == from {
                node.set_text(to);
                is_done = true;
            }
        });
        if is_done {
            self.package.put(&part, tree.to_bytes());
        }
        Ok(())
    }
}

/// Where the workbook part counts sheets: names of one sheet, and which tab is shown first.
fn renumber(tree: &mut Tree, place: impl Fn(usize) -> Option<usize>) {
    if let Some(names) = tree.root.child_mut("definedNames") {
        names.retain_mut(|node| match node.parsed::<usize>("localSheetId") {
            Some(old) => match place(old) {
                Some(new) => {
                    node.set("localSheetId", &new.to_string());
                    true
                }
                None => false,
            },
            None => true,
        });
    }
    let has_names = tree.root.child("definedNames").is_none_or(|names| !names.has_no_children());
    if !has_names {
        tree.root.retain(|node| node.local_name() != "definedNames");
    }
    if let Some(views) = tree.root.child_mut("bookViews") {
        for view in views.children_mut() {
            for name in ["activeTab", "firstSheet"] {
                if let Some(old) = view.parsed::<usize>(name) {
                    view.set(name, &place(old).unwrap_or(0).to_string());
                }
            }
        }
    }
}
