//! Differential formats: what a rule changes of a cell's format (ECMA-376 Part 1 §18.8.14), appended to the styles part.

use std::sync::Arc;

use ooxml::Node;

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::edit::format::{EdgeInput, FormatPatch};
use crate::edit::styles::{
    BORDER_ORDER, FONT_ORDER, ROOT_ORDER, find_or_push, number_format, set_color, set_edge,
};
use crate::xlsx;

impl Draft {
    /// The index of a differential format; of an equal one if the workbook has it already.
    pub(crate) fn differential_format(&mut self, patch: &FormatPatch) -> Result<u32, Problem> {
        check(patch)?;
        let part = self.styles_part()?;
        let mut tree = self.tree(&part)?;
        let format = differential(&mut tree.root, patch);
        let list = tree.root.child_in_order("dxfs", &ROOT_ORDER);
        let before = list.children().count();
        let index = find_or_push(list, format);
        if list.children().count() != before {
            self.package.put(&part, tree.to_bytes());
            self.book.styles = Arc::new(xlsx::read_styles(&self.package, &self.limits)?);
        }
        Ok(index)
    }
}

/// Whether a rule may change what is given.
fn check(patch: &FormatPatch) -> Result<(), Problem> {
    patch.check()?;
    let refused = |what: &str| {
        let problem = format!("a rule cannot change {what}");
        Err(Problem::new(
            problem,
            "give number_format, bold, italic, strike, underline, colours, fill or border",
        ))
    };
    if patch.font.as_ref().is_some_and(|font| font.name.is_some() || font.size.is_some()) {
        return refused("the name or size of a font");
    }
    if patch.border.as_ref().is_some_and(|border| border.inside.is_some()) {
        return refused("the edges between cells; each cell has its own");
    }
    if patch.alignment.is_some() || patch.protection.is_some() {
        return refused("alignment or protection");
    }
    Ok(())
}

fn differential(root: &mut Node, patch: &FormatPatch) -> Node {
    let mut format = root.sibling("dxf");
    if let Some(patch) = &patch.font {
        let mut font = root.sibling("font");
        for (name, value) in [("b", patch.bold), ("i", patch.italic), ("strike", patch.strike)] {
            match value {
                Some(true) => font.child_in_order(name, &FONT_ORDER).unset("val"),
                Some(false) => font.child_in_order(name, &FONT_ORDER).set("val", "0"),
                None => {}
            }
        }
        match patch.underline.as_deref() {
            Some("single") => font.child_in_order("u", &FONT_ORDER).unset("val"),
            Some(underline) => font.child_in_order("u", &FONT_ORDER).set("val", underline),
            None => {}
        }
        if let Some(color) = &patch.color {
            set_color(font.child_in_order("color", &FONT_ORDER), color);
        }
        format.push(font);
    }
    if let Some(code) = &patch.number_format {
        let id = number_format(root, code);
        format.push(root.sibling("numFmt").with("numFmtId", id).with("formatCode", code));
    }
    if let Some(patch) = &patch.fill {
        let mut pattern = root.sibling("patternFill");
        match (patch.pattern.as_deref(), patch.color, patch.background) {
            (None, None, _) => pattern.set("patternType", "none"),
            // Of a solid fill, rules give the colour as the background.
            (None | Some("solid"), color, _) => {
                if let Some(color) = &color {
                    let mut background = root.sibling("bgColor");
                    set_color(&mut background, color);
                    pattern.push(background);
                }
            }
            (Some(kind), color, background) => {
                pattern.set("patternType", kind);
                for (name, color) in [("fgColor", color), ("bgColor", background)] {
                    if let Some(color) = &color {
                        let mut node = root.sibling(name);
                        set_color(&mut node, color);
                        pattern.push(node);
                    }
                }
            }
        }
        format.push(root.sibling("fill").with_child(pattern));
    }
    if let Some(patch) = &patch.border {
        let mut border = root.sibling("border");
        let every = patch.outline.as_ref().or(patch.all.as_ref());
        let edge = |own: &Option<EdgeInput>| own.as_ref().or(every).cloned();
        let edges =
            [("left", &patch.left), ("right", &patch.right), ("top", &patch.top), ("bottom", &patch.bottom)];
        for (name, own) in edges {
            if let Some(edge) = edge(own) {
                set_edge(border.child_in_order(name, &BORDER_ORDER), &edge);
            }
        }
        format.push(border);
    }
    format
}
