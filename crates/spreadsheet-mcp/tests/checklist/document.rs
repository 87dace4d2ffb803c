//! The checklist is that of its document.

use checklist::spec::{Check, Loaded};

use crate::tree;

pub(crate) fn production() -> Loaded {
    Loaded::read(&tree::repository().join("checklist/production.yaml"))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_box_of_the_document_is_there_in_its_words() {
    // Loading compares words, order and depth; here is how many there have to be.
    let loaded = production();
    let document = loaded.document.as_ref().expect("a document");
    assert_eq!(document.boxes().len(), 280);
    assert_eq!(loaded.spec.placed().count(), 280);
}

#[test]
fn the_schema_is_that_of_the_program() {
    let schema = format!("{:#}\n", checklist::spec::Spec::schema());
    expect_test::expect_file!["../../../../checklist/schema.json"].assert_eq(&schema);
}

#[test]
fn a_box_that_is_lost_or_reworded_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let read =
        |name: &str| std::fs::read_to_string(tree::repository().join("checklist").join(name)).expect("read");
    let (spec, document) = (read("production.yaml"), read("production.md"));
    let told = |spec: &str, document: &str| {
        std::fs::write(folder.path().join("production.yaml"), spec).expect("written");
        std::fs::write(folder.path().join("production.md"), document).expect("written");
        Loaded::read(&folder.path().join("production.yaml")).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(told(&spec, &document), Ok(()));
    let lost = document.replacen("  - [ ] Backup encryption enabled\n", "", 1);
    let error = told(&spec, &lost).expect_err("a box is gone");
    assert!(error.contains("backup.strategy"), "{error}");
    let reworded = spec.replacen("title: Backup encryption enabled", "title: Backups encrypted", 1);
    let error = told(&reworded, &document).expect_err("other words");
    assert!(error.contains("Backups encrypted"), "{error}");
    let misspelled = spec.replacen("severity: critical", "severty: critical", 1);
    let error = told(&misspelled, &document).expect_err("an unknown field");
    assert!(error.contains("severty"), "{error}");
}

#[test]
fn at_least_two_hundred_boxes_are_known_by_machine() {
    let loaded = production();
    let mut by_machine = 0;
    let mut by_people = Vec::new();
    for placed in loaded.spec.placed() {
        let is_known = |item: &checklist::spec::Item| item.check.as_ref().is_some_and(Check::is_by_machine);
        let item = placed.item;
        if is_known(item) || item.is_group() && item.items.iter().all(is_known) {
            by_machine += 1;
        } else {
            by_people.push(item.id.as_str());
        }
    }
    println!("{by_machine} of 280 boxes are known by machine; by people: {}", by_people.join(", "));
    assert!(by_machine >= 200, "{by_machine}");
}
