//! Notes that are written and taken away.

use expect_test::expect;
use rust_xlsxwriter::{Note, Workbook as Writer};
use workbook::Workbook;

use crate::support::{apply, draft_of, part, refusal, reopened};

/// `Data` with a note in B2; `Bare` without any.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    sheet.insert_note(1, 1, &Note::new("first").set_author("Ada")).unwrap();
    writer.add_worksheet().set_name("Bare").unwrap();
    writer.save_to_buffer().unwrap()
}

fn notes(book: &Workbook) -> String {
    let sheets = book.sheet_ids().map(|id| book.sheet(id, &()).unwrap());
    sheets
        .flat_map(|sheet| {
            let told = |it: &workbook::Comment| {
                format!("{}!{} {:?} by {:?}\n", sheet.name, it.cell, it.text, it.author)
            };
            sheet.comments.iter().map(told).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn notes_are_written_with_the_shapes_that_show_them() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "comment", "cell": "Data!B2", "text": "again\n<1>"}, {"op": "comment", "cell": "Data!C9", "text": "new", "author": "Bob"},
            {"op": "comment", "cell": "Bare!XFD1048576", "text": "corner"}]"#,
    );
    let live = notes(draft.book());
    assert_eq!(notes(&reopened(&draft)), live);
    expect![[r#"
        Data!B2 "again\n<1>" by "Ada"
        Data!C9 "new" by "Bob"
        Bare!XFD1048576 "corner" by ""
    "#]]
    .assert_eq(&live);
    assert_eq!(part(&draft, "xl/drawings/vmlDrawing1.vml").matches("<v:shape ").count(), 2);
    let new = part(&draft, "xl/drawings/vmlDrawing2.vml");
    assert!(new.contains("<x:Row>1048575</x:Row><x:Column>16383</x:Column>"), "{new}");
    assert!(part(&draft, "xl/worksheets/sheet2.xml").contains("<legacyDrawing r:id="));
}

#[test]
fn notes_are_taken_away_with_their_parts() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r#"[{"op": "comment", "cell": "Data!C9", "text": "new"}, {"op": "delete_comment", "range": "Data!B1:B5"}]"#,
    );
    expect![[r#"
        Data!C9 "new" by ""
    "#]]
    .assert_eq(&notes(&reopened(&draft)));
    assert_eq!(part(&draft, "xl/drawings/vmlDrawing1.vml").matches("<v:shape ").count(), 1);
    apply(&mut draft, r#"[{"op": "clear", "range": "Data!A1:Z99", "what": ["comments"]}]"#);
    assert_eq!(notes(&reopened(&draft)), "");
    assert!(!part(&draft, "xl/worksheets/sheet1.xml").contains("legacyDrawing"));
    expect!["ops[0] (delete_comment) at Data!A1:Z99: there is no comment in the cells; list the sheet's comments first"].assert_eq(&refusal(&mut draft, r#"[{"op": "delete_comment", "range": "Data!A1:Z99"}]"#));
}
