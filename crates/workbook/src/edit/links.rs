//! Hyperlinks (ECMA-376 Part 1 §18.3.1.47): those that lead outside are relationships of the sheet.

use std::collections::HashSet;

use grid::CellRange;
use ooxml::{Node, Tree};
use serde::{Deserialize, Serialize};

use crate::edit::error::Problem;
use crate::edit::input::Input;
use crate::edit::parts::{self, OFFICE_RELATIONSHIP, WORKSHEET_ORDER};
use crate::edit::{Draft, Place};
use crate::model::SheetId;

/// Characters that the target of a link may have (Excel's limit).
const MAX_TARGET: usize = 2079;
/// Where a link may lead.
const SCHEMES: [&str; 6] = ["http", "https", "mailto", "ftp", "tel", "file"];

/// A link over cells; what led from them elsewhere no longer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The cells that lead there.
    pub range: String,
    /// Outside: `https://example.com/a#b`, `mailto:someone@example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Within the workbook: `Other!A1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is shown when the mouse rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<String>,
    /// What the first cell says from now on; what it says now if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Draft {
    pub(crate) fn hyperlink(&mut self, place: Place, link: &Link) -> Result<(), Problem> {
        if link.tooltip.as_ref().is_some_and(|tooltip| tooltip.encode_utf16().count() > 255) {
            return Err(Problem::new("the tooltip is longer than 255 characters", "shorten it"));
        }
        let (target, location) = match (&link.url, &link.place) {
            (Some(url), None) => {
                let (target, location) = split_url(url)?;
                (Some(target), location)
            }
            (None, Some(place)) => (None, Some(place.clone())),
            _ => return Err(Problem::new("a link has either a url or a place", "give one of the two")),
        };
        let mut tree = self.frame(place.sheet)?;
        let lost = cut_links(&mut tree, place.range);
        let prefix = relationship_prefix(&mut tree.root);
        let mut node = tree.root.sibling("hyperlink").with("ref", place.range);
        if let Some(target) = target {
            let part = self.sheets[place.sheet.0 as usize].part.clone();
            let depth = self.limits.package.max_xml_depth;
            let kind = format!("{OFFICE_RELATIONSHIP}/hyperlink");
            let id = parts::relate(&mut self.package, depth, &part, &kind, &target, true)?;
            node.set(&format!("{prefix}:id"), &id);
        }
        node.set_or_unset("location", location.as_deref());
        node.set_or_unset("tooltip", link.tooltip.as_deref());
        tree.root.child_in_order("hyperlinks", &WORKSHEET_ORDER).push(node);
        self.drop_relationships(place.sheet, &tree, &lost)?;
        self.put_frame(place.sheet, &tree)?;
        match &link.text {
            Some(text) => {
                let first = Place { range: CellRange::cell(place.range.start()), ..place };
                let input = Input::Text(text.clone());
                self.set(first, &[vec![input]], false)
            }
            None => Ok(()),
        }
    }

    pub(crate) fn clear_hyperlinks(&mut self, place: Place) -> Result<(), Problem> {
        let mut tree = self.frame(place.sheet)?;
        let is_there =
            |node: &Node| range_of(node).is_some_and(|range| range.intersect(place.range).is_some());
        if !tree.root.child("hyperlinks").is_some_and(|list| list.children().any(is_there)) {
            return Ok(());
        }
        let lost = cut_links(&mut tree, place.range);
        self.drop_relationships(place.sheet, &tree, &lost)?;
        self.put_frame(place.sheet, &tree)
    }

    /// Takes relationships away that the sheet no longer uses.
    fn drop_relationships(
        &mut self,
        id: SheetId,
        tree: &Tree,
        lost: &HashSet<String>,
    ) -> Result<(), Problem> {
        let mut used = HashSet::new();
        let mut root = tree.root.clone();
        root.for_each_mut(&mut |node| used.extend(node.attrs().into_iter().map(|(_, value)| value)));
        let lost: HashSet<&String> = lost.iter().filter(|id| !used.contains(*id)).collect();
        let rels = parts::rels_part(&self.sheets[id.0 as usize].part);
        if lost.is_empty() || !self.package.contains(&rels) {
            return Ok(());
        }
        let mut tree = self.tree(&rels)?;
        tree.root.retain(|node| {
            let is_link = node.attr("Type").is_some_and(|kind| kind.ends_with("/hyperlink"));
            !(is_link && node.attr("Id").is_some_and(|id| lost.contains(&id)))
        });
        self.package.put(&rels, tree.to_bytes());
        Ok(())
    }
}

/// Takes cells out of every link, and gives the relationships of those that are gone.
fn cut_links(tree: &mut Tree, hole: CellRange) -> HashSet<String> {
    let mut lost = HashSet::new();
    let Some(list) = tree.root.child_mut("hyperlinks") else { return lost };
    let old: Vec<Node> = list.children().cloned().collect();
    let is_cut = |node: &Node| range_of(node).is_some_and(|range| range.intersect(hole).is_some());
    list.retain(|node| !is_cut(node));
    for node in old.into_iter().filter(is_cut) {
        lost.extend(node.attr("id"));
        for (index, left) in range_of(&node).into_iter().flat_map(|range| range.without(hole)).enumerate() {
            let mut piece = node.clone().with("ref", left);
            if index > 0 {
                // An identity that only one of them has.
                piece.unset("uid");
            }
            list.push(piece);
        }
    }
    tree.root.retain(|node| node.local_name() != "hyperlinks" || !node.has_no_children());
    lost
}

fn range_of(node: &Node) -> Option<CellRange> {
    node.attr("ref")?.parse().ok()
}

/// The prefix that a part has for relationships, declared if it has none.
pub(crate) fn relationship_prefix(root: &mut Node) -> String {
    let is_it = |uri: &str| {
        uri.ends_with("/officeDocument/2006/relationships") || uri.ends_with("/officeDocument/relationships")
    };
    let known = root
        .attrs()
        .into_iter()
        .find_map(|(name, uri)| name.strip_prefix("xmlns:").filter(|_| is_it(&uri)).map(str::to_owned));
    known.unwrap_or_else(|| {
        root.set("xmlns:r", OFFICE_RELATIONSHIP);
        "r".to_owned()
    })
}

/// A URL and the fragment that it ends with, each of which has its place in the file.
fn split_url(url: &str) -> Result<(String, Option<String>), Problem> {
    let wrong = |problem: &str, remedy: &str| Err(Problem::new(format!("the url {problem}"), remedy));
    if url.encode_utf16().count() > MAX_TARGET {
        return wrong("is longer than 2079 characters", "shorten it");
    }
    if url.trim() != url || url.contains(|c: char| c.is_control()) {
        return wrong("has white space at an end or control characters", "write it without them");
    }
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
    if !SCHEMES.contains(&scheme.as_str()) {
        let remedy = format!("start it with one of {}, or give a place in the workbook", SCHEMES.join(", "));
        return Err(Problem::new(format!("the url {url:?} is of no kind that is linked to"), remedy));
    }
    let (target, location) = match url.split_once('#') {
        Some((target, location)) => (target, Some(location.to_owned()).filter(|it| !it.is_empty())),
        None => (url, None),
    };
    Ok((target.replace(' ', "%20"), location))
}
