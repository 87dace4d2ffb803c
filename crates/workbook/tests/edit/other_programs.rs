//! What is saved opens in openpyxl and in LibreOffice, wherever the file itself does.

use std::path::Path;

use fixtures::corpus::say;
use fixtures::other_programs::{LibreOffice, Openpyxl};
use ooxml::{Limits as PackageLimits, Package};
use tempfile::TempDir;
use workbook::edit::{Draft, Edit, ExplicitPlaces};

use crate::support::{corpus_books, file_name, saved};
use crate::{around_corpus, corpus, objects_corpus};

/// Both programs, and what they opened.
struct Programs {
    openpyxl: Option<Openpyxl>,
    office: Option<LibreOffice>,
    place: TempDir,
    opened: [usize; 2],
    /// What they do not open before it is edited either.
    never: [Vec<String>; 2],
    wrong: Vec<String>,
}

impl Programs {
    fn start() -> Programs {
        let place = tempfile::tempdir().expect("a folder for results");
        let (openpyxl, office) = (Openpyxl::start(), LibreOffice::start());
        Programs { openpyxl, office, place, opened: [0; 2], never: Default::default(), wrong: Vec::new() }
    }

    /// Opens what is saved of a draft; a cell of a sheet is to read 42.5 then.
    fn check(&mut self, original: &Path, draft: &Draft, sheet: &str, cell: &str) {
        let name = file_name(original);
        let ours = self.place.path().join(&name);
        std::fs::write(&ours, saved(draft)).expect("a file for our result");
        if let Some(openpyxl) = &mut self.openpyxl {
            match openpyxl.open(&ours) {
                Ok(()) => self.opened[0] += 1,
                Err(_) if openpyxl.open(original).is_err() => self.never[0].push(name.clone()),
                Err(problem) => self.wrong.push(format!("{name}: openpyxl: {problem}")),
            }
        }
        if let Some(office) = &mut self.office {
            match office.read(&ours, sheet, cell) {
                Ok(42.5) => self.opened[1] += 1,
                Ok(other) => {
                    self.wrong.push(format!("{name}: LibreOffice reads {other} in {cell} of {sheet}"));
                }
                Err(_) if office.read(original, sheet, cell).is_err() => self.never[1].push(name),
                Err(problem) => self.wrong.push(format!("{name}: LibreOffice: {problem}")),
            }
        }
        std::fs::remove_file(&ours).expect("it was written");
    }

    #[track_caller]
    fn end(self, what: &str) {
        say(&format!(
            "{what}: openpyxl opens {} of what was saved, LibreOffice {}; not even what was not edited: {:?}",
            self.opened[0], self.opened[1], self.never
        ));
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert!(self.openpyxl.is_none() || self.opened[0] > 50, "openpyxl opened nearly nothing");
        assert!(self.office.is_none() || self.opened[1] > 50, "LibreOffice opened nearly nothing");
    }
}

#[test]
fn one_cell() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let mut programs = Programs::start();
    for (path, _, book) in corpus_books(&folder) {
        if let Ok(Some((draft, id, at))) = corpus::with_one_cell_set(&book) {
            programs.check(&path, &draft, &book.tab(id).name, &at.to_string());
        }
    }
    programs.end("one cell");
}

/// One draft after the other gets an edit of every kind that its workbook has something for.
#[test]
fn every_kind_of_edit() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let mut programs = Programs::start();
    let mut applied = 0;
    for (path, bytes, book) in corpus_books(&folder) {
        let is_large = bytes.len() > around_corpus::MAX_BYTES;
        let Ok(base) = Package::open(bytes, &PackageLimits::default()) else { continue };
        if is_large || !base.names().any(around_corpus::is_worth_keeping) {
            continue;
        }
        let Ok(Some((mut draft, id, at))) = corpus::with_one_cell_set(&book) else { continue };
        let sheet = book.tab(id).name.clone();
        let around = around_corpus::edits(&book, id);
        for edits in objects_corpus::edits(&book).into_iter().chain(around.into_iter().map(|edit| vec![edit]))
        {
            let edits: Vec<Edit> = serde_json::from_value(edits.into()).expect("edits");
            applied += usize::from(draft.apply(&edits, &ExplicitPlaces).is_ok());
        }
        programs.check(&path, &draft, &sheet, &at.to_string());
    }
    programs.end(&format!("{applied} edits of every kind"));
}
