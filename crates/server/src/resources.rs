//! Workbooks and sheets as MCP resources: `workbook://PATH` and `workbook://PATH?sheet=NAME`.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use rmcp::model::{Resource, ResourceTemplate};
use serde_json::{Value, json};

use crate::{
    error::{ErrorCode, ToolError},
    workspace::Listed,
};

/// The MIME type of what reading a resource answers.
pub const MIME_TYPE: &str = "application/json";

/// Everything but RFC 3986's unreserved characters and the `/` between names.
pub(crate) const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbookUri {
    /// The workbook: a path within the workspace, or an id.
    pub workbook: String,
    /// One of its sheets.
    pub sheet: Option<String>,
}

impl WorkbookUri {
    /// Parses `workbook://PATH[?sheet=NAME]`.
    ///
    /// # Errors
    /// When the URI is of another kind.
    pub fn parse(uri: &str) -> Result<WorkbookUri, ToolError> {
        let malformed = || {
            ToolError::new(ErrorCode::NotFound, format!("there is no resource \"{uri}\""))
                .at("uri")
                .hint("resources are workbook://PATH and workbook://PATH?sheet=NAME; see resources/list")
        };
        let rest = uri.strip_prefix("workbook://").ok_or_else(malformed)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let sheet = match query {
            None => None,
            Some(query) => {
                Some(decode(query.strip_prefix("sheet=").ok_or_else(malformed)?).ok_or_else(malformed)?)
            }
        };
        let workbook = decode(path).filter(|path| !path.is_empty()).ok_or_else(malformed)?;
        Ok(WorkbookUri { workbook, sheet })
    }

    /// The URI of a workbook.
    pub fn of(path: &str) -> String {
        format!("workbook://{}", utf8_percent_encode(path, ESCAPED))
    }

    /// The tool that answers what reading this resource asks, and its arguments.
    pub fn tool_call(&self) -> (&'static str, Value) {
        match &self.sheet {
            None => ("describe_workbook", json!({ "workbook": self.workbook })),
            Some(sheet) => ("sheet_overview", json!({ "workbook": self.workbook, "sheet": sheet })),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A workbook in the list of resources.
pub fn resource(workbook: &Listed) -> Resource {
    let name = workbook.path.rsplit('/').next().unwrap_or(&workbook.path);
    Resource::new(WorkbookUri::of(&workbook.path), name)
        .with_title(workbook.path.clone())
        .with_mime_type(MIME_TYPE)
}

/// The templates of resources that are not listed one by one.
pub fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("workbook://{+path}", "workbook")
            .with_title("Workbook")
            .with_description("What a workbook holds: sheets, sizes, names, tables")
            .with_mime_type(MIME_TYPE),
        ResourceTemplate::new("workbook://{+path}{?sheet}", "sheet")
            .with_title("Sheet")
            .with_description("The regions of one sheet")
            .with_mime_type(MIME_TYPE),
        ResourceTemplate::new("screenshot://{name}", "screenshot")
            .with_title("Picture")
            .with_description("A picture that screenshot_sheet made")
            .with_mime_type(crate::screenshots::MIME_TYPE),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, workbook: &str, sheet: Option<&str>) {
        let expected = WorkbookUri { workbook: workbook.to_owned(), sheet: sheet.map(str::to_owned) };
        assert_eq!(WorkbookUri::parse(uri).expect("a workbook's URI"), expected);
    }

    #[test]
    fn uris_name_workbooks_and_sheets() {
        check("workbook://a/b.xlsx", "a/b.xlsx", None);
        check("workbook://a%20b.xlsx?sheet=Q1%20Actuals", "a b.xlsx", Some("Q1 Actuals"));
        check(&WorkbookUri::of("50% + ä?#[x].xlsx"), "50% + ä?#[x].xlsx", None);
        for wrong in ["file:///etc/passwd", "workbook://", "workbook://a?x=y", "workbook://%ff"] {
            assert_eq!(WorkbookUri::parse(wrong).expect_err("refused").code, ErrorCode::NotFound);
        }
    }
}
