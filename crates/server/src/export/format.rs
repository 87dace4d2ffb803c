//! The formats of exports, and how callers name them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::{ErrorCode, ToolError};

/// Extensions that exports have, whatever those of the workspace's workbooks are.
pub(crate) const EXTENSIONS: [&str; 4] = ["csv", "tsv", "txt", "json"];

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    Tsv,
    Json,
    JsonRecords,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValuesParam {
    Raw,
    Formatted,
}

/// What becomes of texts that would be taken for formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InjectionParam {
    Escape,
    Keep,
    Refuse,
}

impl ValuesParam {
    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ValuesParam::Raw => "raw",
            ValuesParam::Formatted => "formatted",
        }
    }
}

impl InjectionParam {
    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            InjectionParam::Escape => "escape",
            InjectionParam::Keep => "keep",
            InjectionParam::Refuse => "refuse",
        }
    }
}

impl Format {
    /// The format that a file is to have: as asked for, or as its extension says; `None` for a workbook.
    ///
    /// # Errors
    /// When the extension does not fit: programs go by it.
    pub(crate) fn of(asked: Option<Format>, path: &str) -> Result<Option<Format>, ToolError> {
        let extension = path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
        let Some(format) = asked else {
            return Ok(match extension.as_str() {
                "csv" => Some(Format::Csv),
                "tsv" => Some(Format::Tsv),
                "json" => Some(Format::Json),
                _ => None,
            });
        };
        let fitting = format.extensions();
        if fitting.contains(&extension.as_str()) {
            return Ok(Some(format));
        }
        Err(ToolError::new(ErrorCode::InvalidArgument, format!("{path:?} does not fit the format"))
            .at("path")
            .hint(format!("let the path end in .{}", fitting.join(" or ."))))
    }

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Json => "json",
            Format::JsonRecords => "json_records",
        }
    }

    /// The extension that files of it have.
    pub(crate) fn extension(self) -> &'static str {
        self.extensions()[0]
    }

    fn extensions(self) -> &'static [&'static str] {
        match self {
            Format::Csv => &["csv", "txt"],
            Format::Tsv => &["tsv", "txt"],
            Format::Json | Format::JsonRecords => &["json"],
        }
    }

    /// Whether spreadsheet programs open it, and may take texts for formulas.
    pub(crate) fn is_delimited(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: Option<Format>, path: &str, expected: Result<Option<Format>, &str>) {
        let told = Format::of(asked, path).map_err(|error| error.hint.unwrap_or_default());
        assert_eq!(told.as_ref().map_err(String::as_str), expected.as_ref().map_err(|hint| *hint));
    }

    #[test]
    fn formats_and_extensions_agree() {
        check(None, "a/b.CSV", Ok(Some(Format::Csv)));
        check(None, "b.tsv", Ok(Some(Format::Tsv)));
        check(None, "b.json", Ok(Some(Format::Json)));
        check(None, "b.xlsx", Ok(None));
        check(None, "csv", Ok(None));
        check(Some(Format::JsonRecords), "b.json", Ok(Some(Format::JsonRecords)));
        check(Some(Format::Tsv), "b.txt", Ok(Some(Format::Tsv)));
        check(Some(Format::Csv), "b.xlsx", Err("let the path end in .csv or .txt"));
        check(Some(Format::Json), "b.sh", Err("let the path end in .json"));
    }
}
