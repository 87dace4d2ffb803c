//! Everything of a worksheet's part but its cells (ECMA-376 Part 1 §18.3.1): views, columns, merges, filters, rules,
//! validations, hyperlinks, protection; and their extensions of 2009 (MS-XLSX §2.3).

use std::io::BufRead;

use grid::CellRange;
use ooxml::{Element, Relationships, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{
    AutoFilter, ColumnSpan, ConditionalFormat, DataValidation, FilterColumn, FreezePane, Hyperlink,
    HyperlinkTarget, Sheet, SheetProtection, StyleId,
};

/// Reads a fragment of the part: what stands before the cells, or what follows them.
pub(super) fn read(
    part: &str,
    source: impl BufRead,
    sheet: &mut Sheet,
    rels: &Relationships,
    limits: &Limits,
) -> Result<(), OpenError> {
    let mut reader = XmlReader::new(part, source, limits.package.max_xml_depth);
    let mut rules = SheetRules::new(rels, limits);
    while let Some(event) = reader.next()? {
        rules.take(&event, sheet)?;
    }
    Ok(())
}

/// What of a rule has been read before its end tells that it is whole.
#[derive(Default)]
struct Pending {
    /// Ranges of the enclosing `conditionalFormatting`.
    ranges: Vec<CellRange>,
    /// Index of the first rule that belongs to it.
    first_rule: usize,
    /// Formulas of the current rule or validation.
    formulas: Vec<String>,
    validation: Option<DataValidation>,
    rule: Option<ConditionalFormat>,
    filter: Option<AutoFilter>,
    /// Values and conditions of the current filter column.
    criteria: Vec<String>,
}

/// Takes a part's events one by one, so that any reader can feed it.
pub(super) struct SheetRules<'a> {
    rels: &'a Relationships,
    limits: &'a Limits,
    pending: Pending,
    text: String,
    /// Whether the views are being read that people keep for themselves: their panes and filters are not the sheet's.
    in_custom_views: bool,
}

impl<'a> SheetRules<'a> {
    pub(super) fn new(rels: &'a Relationships, limits: &'a Limits) -> SheetRules<'a> {
        SheetRules { rels, limits, pending: Pending::default(), text: String::new(), in_custom_views: false }
    }

    pub(super) fn take(&mut self, event: &XmlEvent<'_>, sheet: &mut Sheet) -> Result<(), OpenError> {
        match event {
            XmlEvent::Start(element) if element.name() == "customSheetViews" => {
                self.in_custom_views = !element.is_empty;
            }
            XmlEvent::End(name) if name == "customSheetViews" => self.in_custom_views = false,
            _ if self.in_custom_views => {}
            XmlEvent::Start(element) => {
                self.text.clear();
                self.start(element, sheet)?;
                if element.is_empty {
                    self.end(element.name(), sheet);
                }
            }
            XmlEvent::Text(text) => self.text.push_str(text),
            XmlEvent::End(name) => self.end(name.as_str(), sheet),
        }
        Ok(())
    }

    fn check_length(&self, length: usize) -> Result<(), OpenError> {
        if length >= self.limits.max_list_items as usize {
            return Err(OpenError::too_many_items(self.limits));
        }
        Ok(())
    }

    fn start(&mut self, element: &Element<'_>, sheet: &mut Sheet) -> Result<(), OpenError> {
        match element.name() {
            "mergeCell" => {
                self.check_length(sheet.merges.len())?;
                sheet.merges.extend(element.parse::<CellRange>("ref"));
            }
            "dimension" => sheet.declared_dimension = element.parse("ref"),
            "sheetView" => sheet.shows_gridlines = element.flag("showGridLines", true),
            "pane" => sheet.freeze = freeze_pane(element),
            "sheetFormatPr" => {
                sheet.default_column_width = element.parse("defaultColWidth");
                sheet.default_row_height = element.parse("defaultRowHeight");
            }
            "col" => {
                self.check_length(sheet.column_spans.len())?;
                sheet.column_spans.extend(column_span(element));
            }
            "sheetProtection" if element.flag("sheet", false) => {
                let has = |name| element.attr(name).is_some_and(|value| !value.is_empty());
                let protection = sheet.protection.get_or_insert_with(SheetProtection::default);
                protection.has_password = has("password") || has("hashValue");
            }
            "protectedRange" => {
                let ranges = element.attr("sqref").map(|text| ranges(&text)).unwrap_or_default();
                let named = (element.attr("name").unwrap_or_default(), ranges);
                sheet.protection.get_or_insert_with(SheetProtection::default).editable_ranges.push(named);
            }
            "autoFilter" => {
                let filter = |range| AutoFilter { range, columns: Vec::new() };
                self.pending.filter = element.parse("ref").map(filter);
            }
            "filterColumn" => {
                self.pending.criteria.clear();
                if let Some(filter) = &mut self.pending.filter {
                    let column = element.parse("colId").unwrap_or(0);
                    filter.columns.push(FilterColumn { column, criteria: String::new() });
                }
            }
            "filter" | "customFilter" | "dynamicFilter" | "top10" | "colorFilter" | "iconFilter"
            | "dateGroupItem"
                if self.pending.filter.is_some() =>
            {
                self.pending.criteria.push(criterion(element));
            }
            "hyperlink" => {
                self.check_length(sheet.hyperlinks.len())?;
                sheet.hyperlinks.extend(self.hyperlink(element));
            }
            "conditionalFormatting" => {
                self.pending.ranges = element.attr("sqref").map(|text| ranges(&text)).unwrap_or_default();
                self.pending.first_rule = sheet.conditional_formats.len();
            }
            "cfRule" => {
                self.check_length(sheet.conditional_formats.len())?;
                self.pending.formulas.clear();
                self.pending.rule = Some(self.rule(element));
            }
            "iconSet" | "colorScale" | "dataBar" => {
                if let Some(rule) = &mut self.pending.rule {
                    rule.detail = element.attr("iconSet").or_else(|| rule.detail.take());
                }
            }
            "dataValidation" => {
                self.check_length(sheet.validations.len())?;
                self.pending.formulas.clear();
                self.pending.validation = Some(validation(element));
            }
            "sparklineGroup" => sheet.sparkline_groups += 1,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str, sheet: &mut Sheet) {
        match name {
            "formula" | "formula1" | "formula2" if !self.text.trim().is_empty() => {
                self.pending.formulas.push(std::mem::take(&mut self.text));
            }
            // Extensions put their formula and ranges into elements of their own.
            "f" if self.pending.rule.is_some() || self.pending.validation.is_some() => {
                self.pending.formulas.push(std::mem::take(&mut self.text));
            }
            "sqref" => {
                let found = ranges(&self.text);
                if let Some(validation) = &mut self.pending.validation {
                    validation.ranges = found;
                } else {
                    for rule in sheet.conditional_formats.iter_mut().skip(self.pending.first_rule) {
                        rule.ranges.clone_from(&found);
                    }
                }
            }
            "cfRule" => {
                if let Some(rule) = self.pending.rule.take() {
                    let formulas = std::mem::take(&mut self.pending.formulas);
                    // An extension's rule without a type of its own only adds details to a rule above.
                    if !rule.kind.is_empty() {
                        sheet.conditional_formats.push(ConditionalFormat { formulas, ..rule });
                    }
                }
            }
            "dataValidation" => {
                if let Some(validation) = self.pending.validation.take() {
                    let mut formulas = std::mem::take(&mut self.pending.formulas).into_iter();
                    let (formula1, formula2) = (formulas.next(), formulas.next());
                    sheet.validations.push(DataValidation { formula1, formula2, ..validation });
                }
            }
            "filterColumn" => {
                let criteria = self.pending.criteria.join(", ");
                if let Some(column) =
                    self.pending.filter.as_mut().and_then(|filter| filter.columns.last_mut())
                {
                    column.criteria = criteria;
                }
            }
            "autoFilter" => {
                if let Some(filter) = self.pending.filter.take() {
                    sheet.auto_filter = Some(filter);
                }
            }
            _ => {}
        }
        self.text.clear();
    }

    fn hyperlink(&self, element: &Element<'_>) -> Option<Hyperlink> {
        let range = element.parse("ref")?;
        let location = element.attr("location").filter(|location| !location.is_empty());
        let external =
            element.attr("id").and_then(|id| self.rels.by_id(&id)).map(|found| found.target.clone());
        let target = match (external, location) {
            (Some(external), Some(location)) => HyperlinkTarget::External(format!("{external}#{location}")),
            (Some(external), None) => HyperlinkTarget::External(external),
            (None, Some(location)) => HyperlinkTarget::Internal(location),
            (None, None) => return None,
        };
        Some(Hyperlink { range, target, tooltip: element.attr("tooltip") })
    }

    fn rule(&self, element: &Element<'_>) -> ConditionalFormat {
        ConditionalFormat {
            ranges: self.pending.ranges.clone(),
            kind: element.attr("type").unwrap_or_default(),
            priority: element.parse("priority").unwrap_or(0),
            operator: element.attr("operator"),
            formulas: Vec::new(),
            stop_if_true: element.flag("stopIfTrue", false),
            dxf: element.parse("dxfId"),
            detail: element
                .attr("text")
                .or_else(|| element.attr("timePeriod"))
                .or_else(|| element.attr("rank")),
        }
    }
}

/// The ranges of an `ST_Sqref`; what is none is left out.
pub(super) fn ranges(text: &str) -> Vec<CellRange> {
    text.split_ascii_whitespace().filter_map(|range| range.parse().ok()).collect()
}

fn freeze_pane(element: &Element<'_>) -> Option<FreezePane> {
    let state = element.attr("state")?;
    let count = |name| element.parse::<f64>(name).unwrap_or(0.0) as u32;
    matches!(state.as_str(), "frozen" | "frozenSplit")
        .then(|| FreezePane { rows: count("ySplit"), columns: count("xSplit") })
}

fn column_span(element: &Element<'_>) -> Option<ColumnSpan> {
    let first: u32 = element.parse("min")?;
    let last: u32 = element.parse("max")?;
    let is_inside = 1 <= first && first <= last;
    is_inside.then(|| ColumnSpan {
        first: first - 1,
        last: (last - 1).min(grid::MAX_COLS - 1),
        width: element.parse("width").filter(|_| element.flag("customWidth", false)),
        hidden: element.flag("hidden", false),
        outline_level: element.parse("outlineLevel").unwrap_or(0),
        style: element.parse("style").filter(|style| *style != 0).map(StyleId),
    })
}

fn validation(element: &Element<'_>) -> DataValidation {
    let text = |name| element.attr(name).filter(|text| !text.is_empty());
    DataValidation {
        ranges: element.attr("sqref").map(|text| ranges(&text)).unwrap_or_default(),
        kind: element.attr("type").unwrap_or_else(|| "none".to_owned()),
        operator: element.attr("operator"),
        formula1: None,
        formula2: None,
        allow_blank: element.flag("allowBlank", false),
        prompt: text("prompt"),
        error: text("error"),
    }
}

fn criterion(element: &Element<'_>) -> String {
    let value = element.attr("val").unwrap_or_default();
    match element.name() {
        "filter" => value,
        "customFilter" => {
            format!("{} {value}", element.attr("operator").unwrap_or_else(|| "equal".to_owned()))
        }
        "dynamicFilter" => element.attr("type").unwrap_or_default(),
        "dateGroupItem" => ["year", "month", "day"]
            .iter()
            .filter_map(|name| element.attr(name))
            .collect::<Vec<String>>()
            .join("-"),
        other => format!("{other} {value}").trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::model::SheetBuilder;

    fn check(xml: &str, show: impl Fn(&Sheet) -> String, expected: &Expect) {
        let mut builder = SheetBuilder::new("Data", Arc::default(), &Limits::default());
        let limits = Limits::default();
        read("sheet", xml.as_bytes(), builder.sheet_mut(), &Relationships::default(), &limits).unwrap();
        expected.assert_eq(&show(builder.sheet_mut()));
    }

    #[test]
    fn icon_sets_and_extensions() {
        check(
            r#"<conditionalFormatting sqref="A1 B2:C3"><cfRule type="iconSet" priority="1"><iconSet iconSet="3Flags"><cfvo type="percent" val="0"/></iconSet></cfRule></conditionalFormatting>
               <extLst><ext><x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule type="expression" priority="2" id="x"><xm:f>A1>2</xm:f></x14:cfRule><xm:sqref>D1:D9</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>"#,
            |sheet| {
                let line = |rule: &ConditionalFormat| {
                    let ranges: Vec<String> = rule.ranges.iter().map(ToString::to_string).collect();
                    format!("{} {} {:?} {:?}\n", ranges.join(" "), rule.kind, rule.detail, rule.formulas)
                };
                sheet.conditional_formats.iter().map(line).collect()
            },
            &expect![[r#"
                A1 B2:C3 iconSet Some("3Flags") []
                D1:D9 expression None ["A1>2"]
            "#]],
        );
    }

    #[test]
    fn validations() {
        check(
            r#"<dataValidations><dataValidation type="list" allowBlank="1" sqref="B2:B9"><formula1>Lists!$A$1:$A$4</formula1></dataValidation>
               <dataValidation type="whole" operator="between" sqref="C2"><formula1>1</formula1><formula2>5</formula2></dataValidation></dataValidations>
               <x14:dataValidation type="list"><x14:formula1><xm:f>Other!A1:A3</xm:f></x14:formula1><xm:sqref>D2</xm:sqref></x14:dataValidation>"#,
            |sheet| {
                let line = |rule: &DataValidation| {
                    format!("{} {} {:?} {:?}\n", rule.ranges[0], rule.kind, rule.formula1, rule.formula2)
                };
                sheet.validations.iter().map(line).collect()
            },
            &expect![[r#"
                B2:B9 list Some("Lists!$A$1:$A$4") None
                C2 whole Some("1") Some("5")
                D2 list Some("Other!A1:A3") None
            "#]],
        );
    }

    #[test]
    fn views_columns_filters_and_protection() {
        check(
            r#"<sheetViews><sheetView><pane xSplit="1" ySplit="2" state="frozen"/></sheetView></sheetViews><cols><col min="2" max="3" width="12.5" customWidth="1" hidden="1"/></cols></sheetData>
               <sheetProtection sheet="1" hashValue="x"/><autoFilter ref="A1:C9"><filterColumn colId="1"><filters><filter val="a"/><filter val="b"/></filters></filterColumn><filterColumn colId="2"><customFilters><customFilter operator="greaterThan" val="5"/></customFilters></filterColumn></autoFilter>
               <customSheetViews><customSheetView guid="{1}"><pane ySplit="9" state="frozen"/><autoFilter ref="D1:D9"/></customSheetView></customSheetViews>"#,
            |sheet| {
                format!(
                    "{:?}\n{:?}\n{:?}\n{:?}\n",
                    sheet.freeze, sheet.column_spans, sheet.protection, sheet.auto_filter
                )
            },
            &expect![[r#"
                Some(FreezePane { rows: 2, columns: 1 })
                [ColumnSpan { first: 1, last: 2, width: Some(12.5), hidden: true, outline_level: 0, style: None }]
                Some(SheetProtection { has_password: true, editable_ranges: [] })
                Some(AutoFilter { range: CellRange { start: CellRef { row: 0, col: 0 }, end: CellRef { row: 8, col: 2 } }, columns: [FilterColumn { column: 1, criteria: "a, b" }, FilterColumn { column: 2, criteria: "greaterThan 5" }] })
            "#]],
        );
    }

    #[test]
    fn gridlines_are_shown_unless_the_view_says_otherwise() {
        let shows = |sheet: &Sheet| sheet.shows_gridlines.to_string();
        check("<sheetViews><sheetView/></sheetViews>", shows, &expect!["true"]);
        check(r#"<sheetViews><sheetView showGridLines="0"/></sheetViews>"#, shows, &expect!["false"]);
    }
}
