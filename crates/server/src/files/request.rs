//! What a request for a file names.

use axum::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use super::FILES_PATH;
use crate::{
    error::{ErrorCode, ToolError},
    export::{Format, InjectionParam, ValuesParam},
    resources::ESCAPED,
};

/// The parameter of a URL that carries its signature.
pub(super) const GRANT: &str = "grant";

/// Bytes of a path and of a name in it, as systems have them.
const MAX_PATH: usize = 4_000;
const MAX_NAME: usize = 255;

/// A file, a fork or a picture that a URL names, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRequest {
    /// A path of the workspace, a fork, or `screenshot://` and a picture's name.
    pub(crate) name: String,
    /// What of it is to be exported, if it is.
    pub(crate) export: Option<Export>,
}

/// Cells as text, by the parameters of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// The format.
    pub(crate) format: Format,
    /// Which cells; those of the only sheet with content if left out.
    pub(crate) range: Option<String>,
    /// How values are written.
    pub(crate) values: Option<ValuesParam>,
    /// What becomes of texts that programs would take for formulas.
    pub(crate) formula_injection: Option<InjectionParam>,
}

impl FileRequest {
    /// What a URL names.
    ///
    /// # Errors
    /// When it is no path, or there is a parameter that means nothing.
    pub(crate) fn parse(uri: &Uri) -> Result<FileRequest, ToolError> {
        let written = uri.path().strip_prefix(FILES_PATH).unwrap_or_default();
        let name = percent_decode_str(written).decode_utf8().map_err(|_| no_path("the path is not UTF-8"))?;
        if name.is_empty() {
            return Err(ToolError::new(ErrorCode::NotFound, "no file is named")
                .at("path")
                .hint("name one, as in /files/report.xlsx; the tool list_workbooks lists them"));
        }
        if name.contains(|letter: char| letter.is_control() || letter == '\\') {
            return Err(no_path("a path has no control characters and no backslashes"));
        }
        if name.len() > MAX_PATH || name.split('/').any(|part| part.len() > MAX_NAME) {
            return Err(no_path("the path, or a name in it, is longer than one can be"));
        }
        Ok(FileRequest { name: name.into_owned(), export: export(uri)? })
    }

    /// The path and the parameters of its URL, each written in the one way that is signed.
    pub(crate) fn target(&self) -> String {
        let path = utf8_percent_encode(&self.name, ESCAPED);
        let mut target = format!("{FILES_PATH}{path}");
        let Some(export) = &self.export else { return target };
        let parameters = [
            ("format", Some(export.format.as_str())),
            ("range", export.range.as_deref()),
            ("values", export.values.map(ValuesParam::as_str)),
            ("formula_injection", export.formula_injection.map(InjectionParam::as_str)),
        ];
        let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for (index, (name, value)) in given.enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            target.push_str(&format!("{mark}{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        target
    }
}

/// The signature that a URL carries.
pub(super) fn grant_of(uri: &Uri) -> Option<String> {
    let (_, value) = parameters(uri).find(|(name, _)| name == GRANT)?;
    Some(value)
}

fn parameters(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let query = uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).into_owned()
}

fn export(uri: &Uri) -> Result<Option<Export>, ToolError> {
    let mut given = serde_json::Map::new();
    for (name, value) in parameters(uri).filter(|(name, _)| name != GRANT) {
        if given.insert(name.clone(), value.into()).is_some() {
            return Err(wrong_parameter(format!("{name} is given twice")));
        }
    }
    if given.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_value(given.into());
    parsed.map(Some).map_err(|error| wrong_parameter(error.to_string()))
}

fn wrong_parameter(message: String) -> ToolError {
    ToolError::new(ErrorCode::InvalidArgument, message).hint(
        "parameters export cells: format (csv, tsv, json, json_records), range, values, formula_injection",
    )
}

fn no_path(message: &str) -> ToolError {
    ToolError::new(ErrorCode::InvalidArgument, message)
        .at("path")
        .hint("write paths as list_workbooks does, encoded as in /files/Q1%20plan.xlsx")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &str) -> Result<FileRequest, ErrorCode> {
        FileRequest::parse(&uri.parse().expect("a URI")).map_err(|error| error.code)
    }

    #[test]
    fn a_url_is_written_as_it_is_read() {
        for name in ["a.xlsx", "2026/Q1 plan #3 (50%).xlsx", "Über/日本.csv", "fork-abc@7", "a+b&c=d?.xlsx"]
        {
            for export in [
                None,
                Some(Export {
                    format: Format::JsonRecords,
                    range: Some("'Q1 & Q2'!A1:B2".to_owned()),
                    values: Some(ValuesParam::Formatted),
                    formula_injection: None,
                }),
            ] {
                let request = FileRequest { name: name.to_owned(), export };
                assert_eq!(parse(&request.target()), Ok(request));
            }
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for wrong in ["/files/a%00.xlsx", "/files/a%5Cb.xlsx", "/files/%ff.xlsx", "/files/a%0a.xlsx"] {
            assert_eq!(parse(wrong), Err(ErrorCode::InvalidArgument), "{wrong}");
        }
        assert_eq!(parse("/files/"), Err(ErrorCode::NotFound));
        for wrong in ["?x=y", "?format=exe", "?range=A1", "?format=csv&format=tsv"] {
            assert_eq!(parse(&format!("/files/a.xlsx{wrong}")), Err(ErrorCode::InvalidArgument), "{wrong}");
        }
        assert_eq!(parse("/files/a.xlsx?grant=x").map(|request| request.export), Ok(None));
    }
}
