//! One cell format in one line: `bold, red fill` rather than indices into four tables.

use workbook::{Border, BorderEdge, CellFormat, Fill, Font, StyleId, Styles};

/// What sets a cell format apart from the workbook's default, as `bold, 14 pt, fill #FFFF00, 0.00%, wrapped`; empty for
/// the default itself.
pub fn describe(styles: &Styles, id: StyleId) -> String {
    let code = styles.number_format_code(id);
    in_words(styles, id, Some(code).filter(|code| *code != "General"))
}

/// As [`describe`], without the number format.
pub fn look(styles: &Styles, id: StyleId) -> String {
    in_words(styles, id, None)
}

fn in_words(styles: &Styles, id: StyleId, number_format: Option<&str>) -> String {
    let Some(format) = styles.format(id) else { return String::new() };
    let normal = styles.formats.first();
    let mut words = Vec::new();
    let named = format.named_style.and_then(|index| styles.named_styles.get(index));
    words.extend(named.filter(|style| style.name != "Normal").map(|style| format!("style {}", style.name)));
    let font_of = |format: &CellFormat| styles.fonts.get(format.font);
    if let Some(font) = font_of(format) {
        font_words(styles, font, normal.and_then(font_of), &mut words);
    }
    words.extend(styles.fills.get(format.fill).and_then(|fill| fill_words(styles, fill)));
    words.extend(styles.borders.get(format.border).and_then(border_words));
    words.extend(number_format.map(str::to_owned));
    if let Some(alignment) = &format.alignment {
        words.extend(alignment.horizontal.clone().filter(|name| name != "general"));
        words.extend(alignment.vertical.clone().filter(|name| name != "bottom"));
        words.extend(alignment.wrap_text.then(|| "wrapped".to_owned()));
        words.extend((alignment.indent > 0).then(|| format!("indent {}", alignment.indent)));
        words.extend((alignment.rotation > 0).then(|| format!("rotation {}", alignment.rotation)));
    }
    if normal.is_some_and(|normal| normal.locked && !format.locked) {
        words.push("unlocked".to_owned());
    }
    if format.hidden {
        words.push("formula hidden".to_owned());
    }
    words.join(", ")
}

fn font_words(styles: &Styles, font: &Font, normal: Option<&Font>, words: &mut Vec<String>) {
    let differs = |of: fn(&Font) -> Option<String>| {
        of(font).filter(|value| normal.and_then(of).as_ref() != Some(value))
    };
    words.extend(differs(|font| font.name.clone()));
    words.extend(differs(|font| font.size.map(|size| format!("{size} pt"))));
    for (is_set, word) in [(font.bold, "bold"), (font.italic, "italic"), (font.strike, "struck through")] {
        words.extend(is_set.then(|| word.to_owned()));
    }
    words.extend(font.underline.as_ref().filter(|kind| *kind != "none").map(|_| "underlined".to_owned()));
    words.extend(font.vertical.clone().filter(|kind| kind != "baseline"));
    let color = |font: &Font| font.color.and_then(|color| styles.rgb(color));
    let own = color(font);
    if own.is_some() && own != normal.and_then(color) && own != Some(0) {
        words.extend(own.map(|rgb| format!("text #{rgb:06X}")));
    }
}

fn fill_words(styles: &Styles, fill: &Fill) -> Option<String> {
    match fill.pattern.as_str() {
        "" | "none" => None,
        "solid" => fill.foreground.and_then(|color| styles.rgb(color)).map(|rgb| format!("fill #{rgb:06X}")),
        pattern => Some(format!("fill {pattern}")),
    }
}

fn border_words(border: &Border) -> Option<String> {
    let edges: [(&str, &Option<BorderEdge>); 4] =
        [("top", &border.top), ("right", &border.right), ("bottom", &border.bottom), ("left", &border.left)];
    let drawn: Vec<(&str, &str)> = edges
        .iter()
        .filter_map(|(side, edge)| edge.as_ref().map(|edge| (*side, edge.style.as_str())))
        .filter(|(_, style)| *style != "none")
        .collect();
    let first = drawn.first()?.1;
    if drawn.len() == 4 && drawn.iter().all(|(_, style)| *style == first) {
        return Some(format!("{first} border"));
    }
    let sides: Vec<String> = drawn.iter().map(|(side, style)| format!("{style} {side}")).collect();
    Some(format!("border {}", sides.join(" ")))
}

#[cfg(test)]
mod tests {
    use workbook::{Alignment, Color, NumberFormatCode};

    use super::*;

    fn styles() -> Styles {
        let plain = Font { name: Some("Calibri".to_owned()), size: Some(11.0), ..Font::default() };
        let loud = Font { bold: true, size: Some(14.0), color: Some(Color::Rgb(0xC0_0000)), ..plain.clone() };
        let solid = Fill {
            pattern: "solid".to_owned(),
            foreground: Some(Color::Theme { index: 0, tint: -0.5 }),
            background: None,
        };
        let thin = Some(BorderEdge { style: "thin".to_owned(), color: None });
        let boxed = Border {
            left: thin.clone(),
            right: thin.clone(),
            top: thin.clone(),
            bottom: thin.clone(),
            diagonal: None,
        };
        let total = Border { top: thin, ..Border::default() };
        let default = CellFormat { locked: true, ..CellFormat::default() };
        let centred =
            Alignment { horizontal: Some("center".to_owned()), wrap_text: true, ..Alignment::default() };
        Styles {
            formats: vec![
                default.clone(),
                CellFormat { font: 1, fill: 1, alignment: Some(centred), ..default.clone() },
                CellFormat { number_format: 1, border: 1, locked: false, ..default.clone() },
                CellFormat { border: 2, hidden: true, ..default },
            ],
            number_formats: ["General", "0.0%"].map(NumberFormatCode::from).into(),
            fonts: vec![plain, loud],
            fills: vec![Fill::default(), solid],
            borders: vec![Border::default(), boxed, total],
            theme_colors: vec![0xFF_FFFF],
            ..Styles::default()
        }
    }

    #[track_caller]
    fn check(id: u32, expected: &str) {
        assert_eq!(describe(&styles(), StyleId(id)), expected);
    }

    #[test]
    fn only_what_differs_from_the_default_is_said() {
        check(0, "");
        check(1, "14 pt, bold, text #C00000, fill #808080, center, wrapped");
        check(2, "thin border, 0.0%, unlocked");
        check(3, "border thin top, formula hidden");
        check(99, "");
    }

    #[test]
    fn the_look_leaves_the_number_format_out() {
        assert_eq!(look(&styles(), StyleId(2)), "thin border, unlocked");
    }
}
