//! Rules over lists of ranges: cells taken out of them, so that what is left means what it meant.

use grid::{CellRange, CellRef};
use ooxml::Node;

/// Takes cells out of every rule of a local name (`dataValidation`, `conditionalFormatting`), those of extensions too.
/// Rules without any cell left go, and the lists that they leave empty. Gives whether anything changed.
pub(crate) fn cut(node: &mut Node, rule: &str, hole: CellRange) -> bool {
    const LISTS: [&str; 4] = ["dataValidations", "conditionalFormattings", "ext", "extLst"];
    let mut is_changed = false;
    node.retain_mut(|child| {
        if child.local_name() == rule {
            return match cut_rule(child, hole) {
                Cut::None => true,
                Cut::Part => {
                    is_changed = true;
                    true
                }
                Cut::All => {
                    is_changed = true;
                    false
                }
            };
        }
        if !LISTS.contains(&child.local_name()) || !cut(child, rule, hole) {
            return true;
        }
        is_changed = true;
        let left = child.children().count();
        if child.attr("count").is_some() {
            child.set("count", &left.to_string());
        }
        left > 0
    });
    is_changed
}

enum Cut {
    None,
    Part,
    All,
}

fn cut_rule(rule: &mut Node, hole: CellRange) -> Cut {
    // Extensions hold their ranges in an element.
    let text = match rule.attr("sqref") {
        Some(text) => text,
        None => rule.child("sqref").map(Node::text).unwrap_or_default(),
    };
    let old: Vec<CellRange> = text.split_ascii_whitespace().filter_map(|range| range.parse().ok()).collect();
    if !old.iter().any(|range| range.intersect(hole).is_some()) {
        return Cut::None;
    }
    let new: Vec<CellRange> = old.iter().flat_map(|range| range.without(hole)).collect();
    let (Some(before), Some(after)) = (corner(&old), corner(&new)) else { return Cut::All };
    let text = new.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    match rule.attr("sqref") {
        Some(_) => rule.set("sqref", &text),
        None => rule.child_mut("sqref").into_iter().for_each(|node| node.set_text(&text)),
    }
    // Relative references count from the first cell around all ranges.
    let rows = i64::from(after.row()) - i64::from(before.row());
    let cols = i64::from(after.col()) - i64::from(before.col());
    if rows != 0 || cols != 0 {
        rule.for_each_mut(&mut |node| {
            let is_formula = matches!(node.local_name(), "formula" | "formula1" | "formula2" | "f");
            if is_formula && node.has_no_children() {
                let shifted = formula::shift(&node.text(), rows, cols);
                node.set_text(&shifted);
            }
        });
    }
    Cut::Part
}

/// The first cell of the smallest range around all.
fn corner(ranges: &[CellRange]) -> Option<CellRef> {
    ranges.iter().copied().reduce(CellRange::union).map(CellRange::start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_cut_and_keep_their_meaning() {
        let mut root = Node::parse(
            r#"<worksheet><dataValidations count="2"><dataValidation sqref="A1:A9 C1"><formula1>B1&gt;$D$1</formula1></dataValidation><dataValidation sqref="B2"/></dataValidations><extLst><ext><x14:dataValidations count="1"><x14:dataValidation><x14:formula1><xm:f>Lists!A1</xm:f></x14:formula1><xm:sqref>A2:B3</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"#,
        )
        .unwrap();
        assert!(!cut(&mut root, "dataValidation", "H1:H9".parse().unwrap()));
        assert!(cut(&mut root, "dataValidation", "A1:C2".parse().unwrap()));
        assert_eq!(
            root.to_xml(),
            r#"<worksheet><dataValidations count="1"><dataValidation sqref="A3:A9"><formula1>B3&gt;$D$1</formula1></dataValidation></dataValidations><extLst><ext><x14:dataValidations count="1"><x14:dataValidation><x14:formula1><xm:f>Lists!A2</xm:f></x14:formula1><xm:sqref>A3:B3</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"#
        );
        assert!(cut(&mut root, "dataValidation", "A:C".parse().unwrap()));
        assert_eq!(root.to_xml(), "<worksheet/>");
    }
}
