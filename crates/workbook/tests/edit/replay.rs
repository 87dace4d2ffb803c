//! REPLAY: whatever was done to a draft, replaying the explicit edits over the base and opening what was saved give the
//! same.

use proptest::prelude::*;
use workbook::edit::{Draft, Edit, ExplicitPlaces, blank_workbook};

use crate::support::{draft_of, listing, reopened};

fn cell() -> impl Strategy<Value = String> {
    (0..6u32, 1..12u32).prop_map(|(col, row)| format!("{}{row}", char::from(b'A' + col as u8)))
}

fn sheet() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["One", "'Two 2'", "Three"])
}

fn range() -> impl Strategy<Value = String> {
    (sheet(), cell(), cell()).prop_map(|(sheet, a, b)| format!("{sheet}!{a}:{b}"))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        (-99..99i32).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        "[a-c<& ]{0,4}".prop_map(|text| format!("{text:?}")),
        Just(r#"{"date": "2026-01-31"}"#.to_owned()),
        Just(r#"{"runs": [{"text": "a "}, {"text": "b", "font": {"bold": true}}]}"#.to_owned()),
        Just(r##"{"error": "#N/A"}"##.to_owned()),
        (sheet(), cell(), cell()).prop_map(|(sheet, a, b)| format!(r#""=SUM({sheet}!{a}:{b})+{a}*$B$2""#)),
        (sheet(), cell()).prop_map(|(sheet, a)| format!(r#""=SORT({sheet}!{a}:{a})""#)),
    ]
}

fn lines(first: u32, count: u32, letters: bool) -> String {
    match letters {
        true => {
            let letter = |index: u32| char::from(b'A' + index as u8);
            format!("{}:{}", letter(first % 6), letter(first % 6 + count))
        }
        false => format!("{}:{}", first + 1, first + 1 + count),
    }
}

fn edit() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (range(), value()).prop_map(|(range, value)| format!(r#"{{"op": "set", "range": "{range}", "values": [[{value}]]}}"#)),
        1 => range().prop_map(|range| format!(r#"{{"op": "clear", "range": "{range}"}}"#)),
        1 => range().prop_map(|range| format!(r#"{{"op": "fill", "range": "{range}"}}"#)),
        1 => (range(), sheet(), cell()).prop_map(|(range, sheet, to)| format!(r#"{{"op": "copy", "range": "{range}", "to": "{sheet}!{to}"}}"#)),
        1 => (range(), sheet(), cell()).prop_map(|(range, sheet, to)| format!(r#"{{"op": "move", "range": "{range}", "to": "{sheet}!{to}"}}"#)),
        1 => (range(), 0..6u8).prop_map(|(range, col)| {
            format!(r#"{{"op": "sort", "range": "{range}", "by": [{{"column": "{}"}}]}}"#, char::from(b'A' + col))
        }),
        1 => range().prop_map(|range| format!(r#"{{"op": "style", "range": "{range}", "format": {{"number_format": "0.00", "font": {{"bold": true}}}}}}"#)),
        3 => (sheet(), 0..12u32, 0..3u32, any::<bool>(), any::<bool>()).prop_map(|(sheet, first, count, letters, comes)| {
            let what = if letters { "columns" } else { "rows" };
            let how = if comes { "insert" } else { "delete" };
            format!(r#"{{"op": "{how}_{what}", "range": "{sheet}!{}"}}"#, lines(first, count, letters))
        }),
        2 => (range(), prop_oneof![Just(("insert_cells", "down")), Just(("insert_cells", "right")), Just(("delete_cells", "up")), Just(("delete_cells", "left"))])
            .prop_map(|(range, (op, shift))| format!(r#"{{"op": "{op}", "range": "{range}", "shift": "{shift}"}}"#)),
        1 => (sheet(), sheet()).prop_map(|(from, to)| format!(r#"{{"op": "rename_sheet", "sheet": "{}", "name": "{}"}}"#, from.replace('\'', ""), to.replace('\'', ""))),
        1 => sheet().prop_map(|sheet| format!(r#"{{"op": "add_sheet", "name": "{}"}}"#, sheet.replace('\'', ""))),
        1 => (sheet(), sheet()).prop_map(|(from, to)| format!(r#"{{"op": "copy_sheet", "sheet": "{}", "name": "{}"}}"#, from.replace('\'', ""), to.replace('\'', ""))),
        1 => sheet().prop_map(|sheet| format!(r#"{{"op": "delete_sheet", "sheet": "{}"}}"#, sheet.replace('\'', ""))),
        1 => (sheet(), 1..4usize).prop_map(|(sheet, position)| format!(r#"{{"op": "move_sheet", "sheet": "{}", "position": {position}}}"#, sheet.replace('\'', ""))),
    ]
}

/// Two sheets with something to work on.
fn base() -> Draft {
    let mut draft = draft_of(blank_workbook(&["One", "Two 2"]).expect("a new workbook"));
    let filled = r#"[
        {"op": "set", "range": "One!A1", "values": [["a", 1, "=B1*2"], ["b", 2, "=B2*2"], ["c", 3, "=B3*2"], ["d", 4, "=SUM(B1:B3)"]]},
        {"op": "set", "range": "'Two 2'!B2", "values": [["=One!B2", "=SUM(One!B1:B4)"], [{"date": "2026-03-01"}, "x & <y>"]]}
    ]"#;
    crate::support::apply(&mut draft, filled);
    // From its file, so that edits meet cells that are spliced.
    draft_of(crate::support::saved(&draft))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn live_replayed_and_reopened_are_one(edits in prop::collection::vec(edit(), 1..12)) {
        let base = base();
        let mut live = base.clone();
        let mut log: Vec<Edit> = Vec::new();
        for json in &edits {
            let parsed: Vec<Edit> = serde_json::from_str(&format!("[{json}]")).expect("an edit");
            // Some are refused: a sheet that is not there, cells that would leave the grid.
            if let Ok(explicit) = live.apply(&parsed, &ExplicitPlaces) {
                log.extend(explicit);
            }
        }
        let shown = listing(live.book());
        let text = serde_json::to_string(&log).expect("a log");
        let log: Vec<Edit> = serde_json::from_str(&text).expect("the same log");
        let mut replayed = base.clone();
        replayed.apply(&log, &ExplicitPlaces).expect("what was applied once");
        prop_assert_eq!(&listing(replayed.book()), &shown, "replayed");
        prop_assert_eq!(&listing(&reopened(&live)), &shown, "saved and opened again");
        // And what was saved is a base like any other.
        let mut again = draft_of(crate::support::saved(&live));
        crate::support::apply(&mut again, r#"[{"op": "add_sheet", "name": "Last"}]"#);
        prop_assert_eq!(listing(&reopened(&again)), listing(again.book()));
    }
}
