//! The workbook part: tabs, names, settings (ECMA-376 Part 1 §18.2).

use grid::DateSystem;
use ooxml::{Element, Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{CalcSettings, DefinedName, SheetId, Visibility, WorkbookProtection};

/// A tab as the workbook part lists it.
pub(super) struct ListedSheet {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    /// The relationship to its part.
    pub(super) relationship: String,
}

/// What the workbook part says.
#[derive(Default)]
pub(super) struct WorkbookPart {
    pub(super) sheets: Vec<ListedSheet>,
    pub(super) names: Vec<DefinedName>,
    pub(super) dates: DateSystem,
    pub(super) calc: CalcSettings,
    pub(super) protection: Option<WorkbookProtection>,
    /// Relationships to external links, in the order that formulas number them.
    pub(super) external_references: Vec<String>,
}

pub(super) fn read(package: &Package, part: &str, limits: &Limits) -> Result<WorkbookPart, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut found = WorkbookPart::default();
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        match element.name() {
            "workbookPr" if element.flag("date1904", false) => found.dates = DateSystem::Date1904,
            "workbookProtection" => found.protection = Some(protection(&element)),
            "calcPr" => found.calc = calc_settings(&element),
            "externalReference" => {
                if found.external_references.len() >= limits.max_list_items as usize {
                    return Err(OpenError::too_many_items(limits));
                }
                found.external_references.push(element.attr("id").unwrap_or_default());
            }
            "sheet" => {
                if found.sheets.len() >= limits.max_sheets as usize {
                    return Err(OpenError::OverBudget {
                        what: "sheets".to_owned(),
                        limit: u64::from(limits.max_sheets),
                        option: "SPREADSHEET_MCP_MAX_SHEETS",
                    });
                }
                found.sheets.push(listed_sheet(&element));
            }
            "definedName" if !element.is_empty => {
                let name = defined_name(&element);
                if found.names.len() >= limits.max_list_items as usize {
                    return Err(OpenError::too_many_items(limits));
                }
                let refers_to = reader.text()?;
                found.names.push(DefinedName { refers_to: refers_to.trim().to_owned(), ..name });
            }
            _ => {}
        }
    }
    let sheets = found.sheets.len() as u32;
    for name in &mut found.names {
        name.scope = name.scope.filter(|scope| scope.0 < sheets);
    }
    Ok(found)
}

fn listed_sheet(element: &Element<'_>) -> ListedSheet {
    ListedSheet {
        name: element.attr("name").unwrap_or_default(),
        visibility: match element.attr("state").as_deref() {
            Some("hidden") => Visibility::Hidden,
            Some("veryHidden") => Visibility::VeryHidden,
            _ => Visibility::Visible,
        },
        relationship: element.attr("id").unwrap_or_default(),
    }
}

fn defined_name(element: &Element<'_>) -> DefinedName {
    DefinedName {
        name: element.attr("name").unwrap_or_default(),
        scope: element.parse("localSheetId").map(SheetId),
        refers_to: String::new(),
        hidden: element.flag("hidden", false),
        comment: element.attr("comment").filter(|comment| !comment.is_empty()),
    }
}

fn protection(element: &Element<'_>) -> WorkbookProtection {
    let has = |name| element.attr(name).is_some_and(|value| !value.is_empty());
    WorkbookProtection {
        lock_structure: element.flag("lockStructure", false),
        lock_windows: element.flag("lockWindows", false),
        has_password: has("workbookPassword") || has("workbookHashValue"),
    }
}

fn calc_settings(element: &Element<'_>) -> CalcSettings {
    let defaults = CalcSettings::default();
    CalcSettings {
        automatic: element.attr("calcMode").is_none_or(|mode| mode != "manual"),
        iterate: element.flag("iterate", false),
        iterate_count: element.parse("iterateCount").unwrap_or(defaults.iterate_count),
        iterate_delta: element.parse("iterateDelta").unwrap_or(defaults.iterate_delta),
        full_calc_on_load: element.flag("fullCalcOnLoad", false),
    }
}
