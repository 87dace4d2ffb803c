//! The built-in table styles, as far as a glance tells them apart: header, bands and totals.
//!
//! Excel's 60 styles come in rows of seven: one in the colour of texts and one for each accent.

use grid::CellRef;
use workbook::{Styles, Table, tinted};

/// Office's accents, for a workbook without a theme.
const ACCENTS: [u32; 6] = [0x4472C4, 0xED7D31, 0xA5A5A5, 0xFFC000, 0x5B9BD5, 0x70AD47];
/// Where the accents start among the theme's colours, and its dark text.
const FIRST_ACCENT: usize = 4;
const WHITE: u32 = 0xFF_FFFF;

/// What a table lays over the formats of its cells, where these say nothing themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Overlay {
    pub(crate) fill: Option<u32>,
    pub(crate) color: Option<u32>,
    pub(crate) bold: bool,
    /// A line below (a header) and above (the totals).
    pub(crate) line_below: Option<u32>,
    pub(crate) line_above: Option<u32>,
}

/// The part of a table that a cell belongs to.
enum Part {
    Header,
    Totals,
    /// Data; whether it is in an odd band.
    Band(bool),
}

/// What a table's style makes of one of its cells; nothing for a table without one.
pub(crate) fn overlay(styles: &Styles, table: &Table, at: CellRef) -> Overlay {
    let Some((group, number)) = table.style.as_deref().and_then(parse) else { return Overlay::default() };
    let accent = match number.checked_sub(1).map(|number| number % 7) {
        Some(index @ 1..=6) => {
            let index = index as usize - 1;
            styles.theme_colors.get(FIRST_ACCENT + index).copied().unwrap_or(ACCENTS[index])
        }
        _ => 0,
    };
    let pale = |tint: f64| if accent == 0 { tinted(WHITE, -(1.0 - tint)) } else { tinted(accent, tint) };
    let row = at.row() - table.range.start().row();
    let part = if row < table.header_rows {
        Part::Header
    } else if table.range.end().row() - at.row() < table.totals_rows {
        Part::Totals
    } else {
        Part::Band((row - table.header_rows).is_multiple_of(2))
    };
    let is_filled_header =
        !matches!((group, number), (Group::Light, 1..=7 | 15..=21) | (Group::Medium, 15..=28));
    match part {
        Part::Header if is_filled_header => {
            Overlay { fill: Some(accent), color: Some(WHITE), bold: true, ..Overlay::default() }
        }
        Part::Header => Overlay { bold: true, line_below: Some(accent), ..Overlay::default() },
        Part::Totals => Overlay { bold: true, line_above: Some(accent), ..Overlay::default() },
        Part::Band(is_odd) => {
            let fill = match (group, number, is_odd) {
                (Group::Light, 1..=7, true) => Some(pale(0.85)),
                (Group::Medium, 1..=7, true) => Some(pale(0.8)),
                (Group::Medium, 8..=14, true) => Some(pale(0.6)),
                (Group::Medium, 8..=14, false) => Some(pale(0.8)),
                (Group::Medium, 15.., true) => Some(pale(0.8)),
                (Group::Dark, _, true) => Some(pale(0.4)),
                (Group::Dark, _, false) => Some(pale(0.6)),
                _ => None,
            };
            Overlay { fill, ..Overlay::default() }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Light,
    Medium,
    Dark,
}

/// `TableStyleMedium2` as its group and number; `None` for an author's own style.
fn parse(name: &str) -> Option<(Group, u32)> {
    let rest = name.strip_prefix("TableStyle")?;
    let groups = [("Light", Group::Light), ("Medium", Group::Medium), ("Dark", Group::Dark)];
    groups.iter().find_map(|(word, group)| Some((*group, rest.strip_prefix(word)?.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(style: &str) -> Table {
        Table {
            name: "T".to_owned(),
            range: "B2:D6".parse().unwrap(),
            header_rows: 1,
            totals_rows: 1,
            columns: Vec::new(),
            style: Some(style.to_owned()),
            auto_filter: None,
        }
    }

    fn at(style: &str, cell: &str) -> Overlay {
        overlay(&Styles::default(), &table(style), cell.parse().unwrap())
    }

    #[test]
    fn the_default_style_of_excel() {
        let header = at("TableStyleMedium2", "C2");
        assert_eq!((header.fill, header.color, header.bold), (Some(0x4472C4), Some(WHITE), true));
        assert_eq!(at("TableStyleMedium2", "C3").fill, Some(0xDAE3F3));
        assert_eq!(at("TableStyleMedium2", "C4").fill, None);
        assert_eq!(at("TableStyleMedium2", "C6").line_above, Some(0x4472C4));
    }

    #[test]
    fn others() {
        assert_eq!(at("TableStyleLight1", "B2").line_below, Some(0));
        assert_eq!(at("TableStyleLight1", "B3").fill, Some(0xD9D9D9));
        assert_eq!(at("Our own", "B2"), Overlay::default());
        assert_eq!(at("TableStyleDark0", "B2").fill, Some(0));
    }
}
