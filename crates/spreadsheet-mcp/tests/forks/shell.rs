//! The flow of a shell: fork, edit, save, each a process of its own over the same state.

use std::io::{Cursor, Read};

use serde_json::json;

use crate::program::{Place, code, fork_of, set, values};

#[test]
fn a_workbook_is_forked_edited_and_saved_by_three_processes() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let original = std::fs::read(place.file("book.xlsx")).expect("read");

    let fork = fork_of(place.shell("create_fork", &json!({ "workbook": "book.xlsx" })));
    let edited = place.shell("edit_cells", &set(&fork, "Data!B2", 42)).expect("edited");
    assert_eq!((&edited["head"], &edited["changed_cells"]), (&json!(1), &json!(1)));
    let saved = place.shell("save_fork", &json!({ "fork": fork, "path": "out.xlsx" })).expect("saved");
    assert_eq!(saved["head"], 1);

    let read = place.shell("read_range", &json!({ "workbook": "out.xlsx", "ranges": ["Data!A1:B2"] }));
    assert_eq!(values(read), [[json!("first"), json!(null)], [json!(null), json!(42)]]);
    assert!(std::fs::read(place.file("book.xlsx")).expect("read") == original, "the original is untouched");

    let unknown = place.shell("edit_cells", &set("fork-aaaaaaaaaaaaaaaa", "Data!B2", 1));
    assert_eq!(code(unknown), "fork_not_found");
}

#[test]
fn macros_are_kept_byte_for_byte() {
    let place = Place::new();
    let module = "Attribute VB_Name = \"Module1\"\r\nSub Greet()\r\nEnd Sub\r\n";
    let bytes = fixtures::macros::workbook(&[("ThisWorkbook", "\r\n"), ("Module1", module)]).expect("made");
    std::fs::write(place.file("book.xlsm"), &bytes).expect("written");

    let fork = fork_of(place.shell("create_fork", &json!({ "workbook": "book.xlsm" })));
    place.shell("edit_cells", &set(&fork, "Sheet1!B2", "007")).expect("edited");
    let wrong = place.shell("save_fork", &json!({ "fork": fork, "path": "out.xlsx" }));
    assert_eq!(code(wrong), "invalid_argument");
    place.shell("save_fork", &json!({ "fork": fork, "path": "out.xlsm" })).expect("saved");

    let saved = std::fs::read(place.file("out.xlsm")).expect("read");
    for part in ["xl/vbaProject.bin", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"] {
        assert!(part_of(&saved, part) == part_of(&bytes, part), "{part} differs");
    }
    let read = place.shell("read_range", &json!({ "workbook": "out.xlsm", "ranges": ["Sheet1!B2"] }));
    assert_eq!(values(read), [[json!("007")]]);
}

fn part_of(package: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(package)).expect("a package");
    let mut bytes = Vec::new();
    archive.by_name(name).expect("the part").read_to_end(&mut bytes).expect("read");
    bytes
}
