//! `screenshot_sheet`: a range as a picture.

use std::sync::OnceLock;

use ::picture::{Fonts, PictureError, PictureOptions, View, draw, tiles};
use analysis::formulas::Area;
use grid::{CellRange, CellRef};
use office::{Availability, Document, OfficeError, PictureRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workbook::{Anchor, Sheet, SheetKind};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    open::{ForkReference, Opened},
    recalc::{file_of, office_error},
    screenshots::Picture,
    tool::Tool,
};

/// Rows and columns of the used area that are shown unless asked otherwise.
const DEFAULT_ROWS: u32 = 60;
const DEFAULT_COLUMNS: u32 = 26;
/// Tiles that an error suggests.
const MAX_TILES: usize = 8;
/// Pixels per inch at scale 1.
const DPI: f32 = 96.0;

/// Draws ranges.
#[derive(Debug)]
pub(super) struct ScreenshotSheet;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// A sheet or cells, e.g. "Data!A1:H40" (the used area of the first sheet, up to 60 rows and 26 columns).
    range: Option<String>,
    /// libreoffice draws charts; native is faster (auto: libreoffice where it is installed).
    renderer: Option<Renderer>,
    /// 0.25 to 4 (1).
    scale: Option<f32>,
    /// Row numbers and column letters (true).
    headings: Option<bool>,
    /// Lines between cells, where the sheet shows them (true).
    gridlines: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Renderer {
    Auto,
    Libreoffice,
    Native,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    range: String,
    /// Who drew it: native shows frames in the place of charts, and no conditional formats; libreoffice no table styles.
    renderer: Renderer,
    width: u32,
    height: u32,
    /// The picture's resource.
    uri: String,
    /// The picture's file on the server, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    notices: Vec<String>,
    /// Cells shown whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
}

impl Tool for ScreenshotSheet {
    const NAME: &'static str = "screenshot_sheet";
    const TITLE: &'static str = "Picture of a sheet";
    const DESCRIPTION: &'static str = "A range as a PNG, as it looks: formats, fills, borders, merges, charts. For layout; read values with \
        read_range.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let mut notices = Vec::new();
        let area = area(call, &opened, params.range.as_deref(), &mut notices)?;
        let sheet = opened.sheet(call, area.sheet)?;
        let limits = &call.config().limits;
        let options = PictureOptions {
            scale: scale(params.scale)?,
            headings: params.headings.unwrap_or(true),
            gridlines: params.gridlines.unwrap_or(true),
            max_dimension_px: limits.max_png_dim_px,
            max_area_px: limits.max_png_area_px,
        };
        let wanted = params.renderer.unwrap_or(Renderer::Auto);
        let unknown = unknown_to_office(&sheet);
        if let (Renderer::Libreoffice, Some(function)) = (wanted, &unknown) {
            notices.push(format!("LibreOffice may not know {function}: its cells may show #NAME?"));
        }
        let (png, renderer) = match wanted {
            Renderer::Native => (native(call, &opened, &sheet, area, &options)?, Renderer::Native),
            Renderer::Libreoffice => {
                (by_office(call, &params, &opened, &sheet, area, &options)?, Renderer::Libreoffice)
            }
            Renderer::Auto
                if matches!(call.recalc().office().availability(), Availability::Missing { .. }) =>
            {
                notices.push("drawn natively, LibreOffice is not installed".to_owned());
                (native(call, &opened, &sheet, area, &options)?, Renderer::Native)
            }
            Renderer::Auto if let Some(function) = &unknown => {
                notices.push(format!("drawn natively, LibreOffice may not know {function}"));
                (native(call, &opened, &sheet, area, &options)?, Renderer::Native)
            }
            Renderer::Auto => match by_office(call, &params, &opened, &sheet, area, &options) {
                Ok(png) => (png, Renderer::Libreoffice),
                Err(error) if error.code == ErrorCode::Cancelled => return Err(error),
                // What is too large for one is mostly so for the other, and says which tiles are not.
                Err(error) => {
                    let png = native(call, &opened, &sheet, area, &options)?;
                    notices.push(format!("drawn natively: {}", error.message));
                    (png, Renderer::Native)
                }
            },
        };
        let stale = opened.stale_within(call, &[area])?;
        let (width, height) = dimensions(&png);
        let stem = format!("{}-{}", opened.path.rsplit('/').next().unwrap_or_default(), sheet.name);
        let name = call.screenshots().keep(&stem, &call.principal().gallery(), &png)?;
        let folder = call.screenshots().folder();
        let file = folder.map(|folder| folder.join(&name).display().to_string());
        // As Base64, beside the answer.
        let is_inline = png.len() / 3 * 4 + 4_096 <= limits.max_response_bytes;
        if !is_inline {
            notices.push("the picture is too large for an answer: read its resource".to_owned());
        }
        let picture = Picture { name, png, is_inline };
        let uri = picture.uri();
        call.attach(picture);
        let range = format!("{}!{}", opened.quoted_name(area.sheet), area.range);
        Ok(Answer { range, renderer, width, height, uri, file, notices, stale })
    }
}

/// Functions that LibreOffice before 24.8 does not know, in the order of their bytes: it shows `#NAME?` in place of their results.
#[rustfmt::skip]
const UNKNOWN_TO_OFFICE: &[&str] = &[
    "ANCHORARRAY", "ARRAYTOTEXT", "BYCOL", "BYROW", "CHOOSECOLS", "CHOOSEROWS", "DROP", "EXPAND", "FILTER", "GROUPBY",
    "HSTACK", "IMAGE", "LAMBDA", "LET", "MAKEARRAY", "MAP", "PERCENTOF", "PIVOTBY", "RANDARRAY", "REDUCE", "REGEXEXTRACT",
    "REGEXREPLACE", "REGEXTEST", "SCAN", "SEQUENCE", "SINGLE", "SORT", "SORTBY", "TAKE", "TEXTAFTER", "TEXTBEFORE",
    "TEXTSPLIT", "TOCOL", "TOROW", "TRIMRANGE", "UNIQUE", "VALUETOTEXT", "VSTACK", "WRAPCOLS", "WRAPROWS", "XLOOKUP", "XMATCH",
];

/// The first function of a sheet that LibreOffice may not know.
fn unknown_to_office(sheet: &Sheet) -> Option<String> {
    let unknown = |text: &str| {
        formula::functions(text)
            .map(|call| call.name.to_ascii_uppercase())
            .find(|name| UNKNOWN_TO_OFFICE.binary_search(&name.as_str()).is_ok())
    };
    sheet.formulas().iter().find_map(|(_, formula)| unknown(&formula.text))
}

/// How large the picture is drawn, within what is documented.
fn scale(asked: Option<f32>) -> Result<f32, ToolError> {
    let scale = asked.unwrap_or(1.0);
    if !(0.25..=4.0).contains(&scale) {
        let message = format!("{scale} is no scale of a picture");
        return Err(ToolError::new(ErrorCode::InvalidArgument, message).at("scale").hint("0.25 to 4"));
    }
    Ok(scale)
}

/// What is to be drawn: cells that were asked for, or a bounded part of a sheet's used area.
fn area(
    call: &Call,
    opened: &Opened,
    range: Option<&str>,
    notices: &mut Vec<String>,
) -> Result<Area, ToolError> {
    let book = &opened.book.workbook;
    let area = match range {
        Some(range) => {
            let areas = opened.locate(call, range, None)?.areas;
            let [area] = areas[..] else {
                return Err(ToolError::new(ErrorCode::InvalidAddress, "a picture shows one range")
                    .at("range")
                    .hint("ask for one after the other"));
            };
            area
        }
        None => {
            let is_shown = |id: &workbook::SheetId| {
                let tab = book.tab(*id);
                tab.kind == SheetKind::Worksheet && tab.visibility == workbook::Visibility::Visible
            };
            let first = book.sheet_ids().find(is_shown).unwrap_or(workbook::SheetId(0));
            Area { sheet: first, range: CellRange::ALL }
        }
    };
    let sheet = opened.sheet(call, area.sheet)?;
    let is_whole = area.range.height() == grid::MAX_ROWS || area.range.width() == grid::MAX_COLS;
    if !is_whole {
        return Ok(area);
    }
    let used = shown_area(&sheet).intersect(area.range).unwrap_or(CellRange::cell(area.range.start()));
    let start = used.start();
    let end = CellRef::clamped(
        used.end().row().min(start.row() + DEFAULT_ROWS - 1),
        used.end().col().min(start.col() + DEFAULT_COLUMNS - 1),
    );
    let bounded = CellRange::new(start, end);
    if bounded != used {
        notices.push(format!("{used} is used, of which this is the first part: ask for the rest by range"));
    }
    Ok(Area { sheet: area.sheet, range: bounded })
}

/// The cells with content, and those under charts and pictures.
fn shown_area(sheet: &Sheet) -> CellRange {
    let anchors =
        sheet.charts.iter().map(|chart| chart.anchor).chain(sheet.images.iter().map(|image| image.anchor));
    let under = anchors.filter_map(|anchor| match anchor? {
        Anchor::Cells(range) => Some(range),
        Anchor::Cell(at) => Some(CellRange::cell(at)),
        Anchor::Absolute => None,
    });
    let used = sheet.used_range().into_iter();
    used.chain(under).reduce(CellRange::union).unwrap_or(CellRange::cell(CellRef::A1))
}

fn native(
    call: &Call,
    opened: &Opened,
    sheet: &Sheet,
    area: Area,
    options: &PictureOptions,
) -> Result<Vec<u8>, ToolError> {
    let view = view(opened, sheet, area, options);
    draw(&view, &|| call.is_stopped()).map_err(|error| match error {
        PictureError::Cancelled => ToolError::cancelled(),
        PictureError::TooLarge { .. } => too_large(error.to_string(), opened, &view, area),
        PictureError::NothingVisible { .. } => {
            ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at("range")
        }
        PictureError::Encode(_) => ToolError::new(ErrorCode::Internal, error.to_string()),
    })
}

fn view<'a>(opened: &'a Opened, sheet: &'a Sheet, area: Area, options: &'a PictureOptions) -> View<'a> {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    let fonts = FONTS.get_or_init(Fonts::embedded);
    View { book: &opened.book.workbook, sheet, range: area.range, fonts, options }
}

/// Refuses a picture, and offers the parts of it that are small enough.
fn too_large(message: String, opened: &Opened, view: &View<'_>, area: Area) -> ToolError {
    let tiles = tiles(view, MAX_TILES);
    let name = opened.quoted_name(area.sheet);
    ToolError::new(ErrorCode::LimitExceeded, message)
        .at("range")
        .hint(
            "take these ranges one after the other, or a smaller scale; SPREADSHEET_MCP_MAX_PNG_DIM_PX and \
             SPREADSHEET_MCP_MAX_PNG_AREA_PX are the bounds",
        )
        .candidates(tiles.ranges.iter().map(|range| format!("{name}!{range}")).collect())
}

/// What a client is told where LibreOffice draws no picture.
fn not_drawn(error: OfficeError, opened: &Opened, view: &View<'_>, area: Area) -> ToolError {
    match error {
        OfficeError::Cancelled => ToolError::cancelled(),
        OfficeError::PictureTooLarge { width_px, height_px } => {
            let message = format!("the picture would have {width_px} x {height_px} pixels");
            too_large(message, opened, view, area)
        }
        OfficeError::NothingVisible => {
            ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at("range")
        }
        error => {
            let hint = match &error {
                OfficeError::Missing { .. } => "use renderer native, or have LibreOffice installed",
                OfficeError::Busy { .. } => "call again in a moment, or use renderer native",
                OfficeError::Timeout { .. } => {
                    "use renderer native, or a smaller range; SPREADSHEET_MCP_TOOL_TIMEOUT_MS is the bound"
                }
                OfficeError::OutOfMemory { .. } => {
                    "use renderer native, or a smaller range; SPREADSHEET_MCP_LIBREOFFICE_MEMORY is the bound"
                }
                _ => "use renderer native",
            };
            office_error(error).at("renderer").hint(hint)
        }
    }
}

fn by_office(
    call: &Call,
    params: &Params,
    opened: &Opened,
    sheet: &Sheet,
    area: Area,
    options: &PictureOptions,
) -> Result<Vec<u8>, ToolError> {
    let bytes = match ForkReference::parse(&params.workbook)? {
        Some(reference) => {
            let seq = call.state_of(&reference)?;
            file_of(&call.replayed(&reference.fork, seq)?.live.draft)?
        }
        None => match opened.book.file_bytes() {
            Some(bytes) => bytes.to_vec(),
            None => {
                let message = "LibreOffice draws .xlsx workbooks here";
                return Err(ToolError::new(ErrorCode::UnsupportedFile, message)
                    .at("renderer")
                    .hint("use renderer native, or make a fork of the workbook"));
            }
        },
    };
    let (start, end) = (area.range.start(), area.range.end());
    let request = PictureRequest {
        sheet: sheet.name.clone(),
        first_row: start.row(),
        first_column: start.col(),
        last_row: end.row(),
        last_column: end.col(),
        dpi: (DPI * options.scale).round() as u32,
        headings: options.headings,
        gridlines: options.gridlines && sheet.shows_gridlines,
        max_dimension_px: options.max_dimension_px,
        max_area_px: options.max_area_px,
    };
    call.check_scratch()?;
    let document = Document { bytes: &bytes, extension: "xlsx" };
    let span = tracing::info_span!("libreoffice", job = "picture", bytes = document.bytes.len());
    let drawn = span.in_scope(|| call.recalc().office().picture(&document, &request, &|| call.is_stopped()));
    drawn.map_err(|error| not_drawn(error, opened, &view(opened, sheet, area, options), area))
}

/// Width and height of a PNG, from its header (PNG specification §11.2.2).
fn dimensions(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| {
        png.get(at..at + 4).map_or(0, |bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    (number(16), number(20))
}
