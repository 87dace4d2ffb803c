//! Macros of real files, module by module against `calamine`; and of a made one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Cursor;

use calamine::{Reader, Xlsx};
use workbook::{Limits, VbaModuleKind, Workbook};

/// The lines that say something, so that attributes and line ends make no difference.
fn said(source: &str) -> Vec<&str> {
    source.lines().filter(|line| !line.starts_with("Attribute ")).map(str::trim_end).collect()
}

#[test]
fn modules_of_real_files_are_what_calamine_reads() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let files = fixtures::corpus::files(&folder, &["xlsm"]).unwrap();
    let (mut projects, mut modules) = (0, 0);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let Ok(book) = Workbook::open(bytes.clone().into(), "a.xlsm", &Limits::default(), &()) else {
            continue;
        };
        let Ok(mut peer) = Xlsx::new(Cursor::new(bytes)) else { continue };
        let Ok(Some(expected)) = peer.vba_project() else { continue };
        let found = book.vba_modules().unwrap().unwrap();
        let mut names: Vec<&str> = found.iter().map(|module| module.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected.get_module_names(), "{}", file.display());
        for module in &found {
            let source = expected.get_module(&module.name).unwrap();
            let mut lines = said(&source);
            while lines.last().is_some_and(|line| line.is_empty()) {
                lines.pop();
            }
            let read = module.source.as_deref().unwrap();
            assert_eq!(said(read), lines, "{} of {}", module.name, file.display());
        }
        projects += 1;
        modules += found.len();
    }
    println!("{projects} projects with {modules} modules");
    assert!(projects > 5);
}

#[test]
fn a_project_tells_its_modules_in_order() {
    let source = "Attribute VB_Name = \"Tax\"\r\nFunction Tax(x)\r\n  ' größer\r\n  Tax = x * 0.19\r\nEnd Function\r\n";
    let bytes = fixtures::macros::workbook(&[("ThisWorkbook", ""), ("Tax", source)]).unwrap();
    let book = Workbook::open(bytes.into(), "a.xlsm", &Limits::default(), &()).unwrap();
    let modules = book.vba_modules().unwrap().unwrap();
    let named: Vec<_> = modules.iter().map(|module| (module.name.as_str(), module.kind)).collect();
    assert_eq!(named, [("ThisWorkbook", VbaModuleKind::ClassOrDocument), ("Tax", VbaModuleKind::Procedural)]);
    assert_eq!(
        modules[1].source.as_deref(),
        Some("Function Tax(x)\n  ' größer\n  Tax = x * 0.19\nEnd Function")
    );
}

#[test]
fn a_workbook_without_macros_has_no_modules() {
    let book = Workbook::open(b"a,b\n1,2\n".as_slice().into(), "a.csv", &Limits::default(), &()).unwrap();
    assert_eq!(book.vba_modules(), Ok(Some(Vec::new())));
}
