//! Charts over ranges: made, and led to other ranges.

use grid::{CellRange, Value};
use ooxml::{Node, Tree, escape_text};
use serde::{Deserialize, Serialize};

use crate::edit::drawings::{DRAWING, RELATIONSHIP, SHEET_DRAWING, corners};
use crate::edit::error::Problem;
use crate::edit::follow::is_same;
use crate::edit::{Draft, Place, Places};
use crate::model::SheetId;

const CHART_TYPE: &str = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml";
const CHART: &str = "http://schemas.openxmlformats.org/drawingml/2006/chart";
/// Series that a chart may have (Excel's limit).
const MAX_SERIES: usize = 255;
/// Values of a series that are kept in the chart (Excel's limit of points).
const MAX_POINTS: u64 = 32_000;

/// How a chart draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum ChartKind {
    Line,
    /// Horizontal bars.
    Bar,
    /// Upright bars.
    Column,
    Pie,
    Scatter,
    Area,
}

/// A series: ranges, and a name that is a text or, after `=`, a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesInput {
    /// What the legend calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its values; those of y in a scatter chart.
    pub values: String,
    /// Its categories; the values of x in a scatter chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<String>,
}

/// A chart to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChart {
    /// The sheet that it stands on.
    pub sheet: String,
    /// How it draws.
    pub kind: ChartKind,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesInput>,
    /// In the place of series: a range whose first row names them and whose first column has their categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The cells that it covers: `E2:L20`.
    pub anchor: String,
    /// The object's name; `Chart 1`, … if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The title of the axis of categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_title: Option<String>,
    /// The title of the axis of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_title: Option<String>,
}

/// A series with its cells found.
struct Series {
    name: Option<Name>,
    values: Place,
    categories: Option<Place>,
}

enum Name {
    Text(String),
    Cell(Place),
}

impl Draft {
    pub(crate) fn create_chart(&mut self, chart: &mut NewChart, places: &dyn Places) -> Result<(), Problem> {
        let (id, range) = self.anchor(&chart.sheet, &chart.anchor)?;
        let series = self.series(&mut chart.series, chart.data.as_mut(), places)?;
        if chart.kind == ChartKind::Pie && series.len() > 1 {
            return Err(Problem::new("a pie shows one series", "give one, or another kind of chart"));
        }
        let xml = self.chart_xml(chart, &series)?;
        let part = self.new_part("xl/charts/chart", ".xml");
        self.package.put(&part, Tree::new(Node::parse(&xml)?).to_bytes());
        self.declare(&part, CHART_TYPE)?;
        self.draw(id, ("Chart", chart.name.as_deref()), ("chart", &part), |object| {
            format!(
                "<xdr:twoCellAnchor xmlns:xdr=\"{SHEET_DRAWING}\" xmlns:a=\"{DRAWING}\">{}<xdr:graphicFrame macro=\"\"><xdr:nvGraphicFramePr>\
                 <xdr:cNvPr id=\"{}\" name=\"{}\"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm><a:off x=\"0\" y=\"0\"/>\
                 <a:ext cx=\"0\" cy=\"0\"/></xdr:xfrm><a:graphic><a:graphicData uri=\"{CHART}\"><c:chart xmlns:c=\"{CHART}\" \
                 xmlns:r=\"{RELATIONSHIP}\" r:id=\"{}\"/></a:graphicData></a:graphic></xdr:graphicFrame><xdr:clientData/></xdr:twoCellAnchor>",
                corners(range),
                object.id,
                attribute(&object.name),
                object.reference
            )
        })
    }

    pub(crate) fn retarget_chart(
        &mut self,
        sheet: Option<&str>,
        chart: &str,
        content: (&mut [SeriesInput], Option<&mut String>),
        places: &dyn Places,
    ) -> Result<(), Problem> {
        let series = self.series(content.0, content.1, places)?;
        let (id, part) = self.chart_part(sheet, chart)?;
        let mut tree = self.tree(&part)?;
        let is_classic = tree.root.local_name() == "chartSpace"
            && tree.root.child("chart").is_some_and(|it| {
                it.child("plotArea").is_some_and(|it| {
                    it.children().any(|plot| plot.children().any(|node| node.local_name() == "ser"))
                })
            });
        if !is_classic {
            return Err(Problem::new(
                format!("the chart {chart:?} is of a kind that is not led elsewhere"),
                "delete_object it, and create_chart anew",
            ));
        }
        let area = tree.root.child_mut("chart").and_then(|it| it.child_mut("plotArea"));
        let plots: Vec<&mut Node> =
            area.into_iter().flat_map(Node::children_mut).filter(|it| it.child("ser").is_some()).collect();
        let count = plots.len();
        let mut rest = series.iter().zip(0u32..);
        for (index, plot) in plots.into_iter().enumerate() {
            let is_xy = matches!(plot.local_name(), "scatterChart" | "bubbleChart");
            let old: Vec<Node> = plot.children().filter(|it| it.local_name() == "ser").cloned().collect();
            let at = plot.children().position(|it| it.local_name() == "ser").unwrap_or(0);
            plot.retain(|it| it.local_name() != "ser");
            let mut known = old.iter();
            let mut place = at;
            loop {
                let model = known.next();
                let is_last = index + 1 == count;
                if model.is_none() && !is_last {
                    break;
                }
                let Some((one, number)) = rest.next() else { break };
                let Some(model) = model.or(old.last()) else { break };
                plot.insert(place, self.led(model.clone(), one, number, is_xy)?);
                place += 1;
            }
            if place == at {
                return Err(Problem::new(
                    format!("the chart combines {count} plots and {} series are given", series.len()),
                    "give at least one for each",
                ));
            }
        }
        self.package.put(&part, tree.to_bytes());
        self.read_again(&[id])
    }

    /// A series of a chart led to other cells; its look stays.
    fn led(&self, mut ser: Node, series: &Series, number: u32, is_xy: bool) -> Result<Node, Problem> {
        const ORDER: [&str; 21] = [
            "idx",
            "order",
            "tx",
            "spPr",
            "invertIfNegative",
            "explosion",
            "pictureOptions",
            "marker",
            "dPt",
            "dLbls",
            "trendline",
            "errBars",
            "cat",
            "xVal",
            "val",
            "yVal",
            "bubbleSize",
            "shape",
            "smooth",
            "bubble3D",
            "extLst",
        ];
        let (x, y) = if is_xy { ("xVal", "yVal") } else { ("cat", "val") };
        // Labels that were taken from cells would show what is no longer meant.
        ser.retain(|it| !["tx", x, y, "extLst"].contains(&it.local_name()));
        for name in ["idx", "order"] {
            ser.child_in_order(name, &ORDER).set("val", &number.to_string());
        }
        let namespace = format!(" xmlns:c=\"{CHART}\"");
        let pieces = self.series_pieces(series, is_xy)?;
        for piece in pieces {
            let piece = piece.replacen('>', &format!("{namespace}>"), 1);
            ser.insert_in_order(Node::parse(&piece)?, &ORDER);
        }
        Ok(ser)
    }

    /// A chart's sheet and part, by its name or its position among the charts of its sheet, from 1.
    fn chart_part(&self, sheet: Option<&str>, name: &str) -> Result<(SheetId, String), Problem> {
        let own = sheet.map(|sheet| self.sheet_named(sheet)).transpose()?;
        let mut found = Vec::new();
        let mut known = Vec::new();
        for id in self.book.sheet_ids().filter(|id| own.is_none_or(|own| own == *id)) {
            let sheet = self.book.sheet(id, &())?;
            for (position, chart) in (1..).zip(&sheet.charts) {
                let is_numbered = own.is_some() && name.parse() == Ok(position);
                if is_same(&chart.name, name) || is_numbered {
                    found.push((id, chart.part.clone()));
                }
                known.push(format!("{}!{}", sheet.name, chart.name));
            }
        }
        known.truncate(20);
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(Problem::new(
                format!("there is no chart {name:?}"),
                format!("there are: {}", known.join(", ")),
            )),
            count => Err(Problem::new(
                format!("there are {count} charts {name:?}"),
                "give the sheet, too, or a position on it from 1",
            )),
        }
    }

    /// The series with their cells found; addresses become explicit.
    fn series(
        &self,
        inputs: &mut [SeriesInput],
        data: Option<&mut String>,
        places: &dyn Places,
    ) -> Result<Vec<Series>, Problem> {
        let series = match (data, inputs.is_empty()) {
            (Some(data), true) => {
                let place = self.explicit(data, places)?;
                self.series_of_block(place)?
            }
            (None, false) => {
                let mut series = Vec::new();
                for input in inputs {
                    let values = self.explicit(&mut input.values, places)?;
                    let categories =
                        input.categories.as_mut().map(|it| self.explicit(it, places)).transpose()?;
                    let name = match &mut input.name {
                        Some(text) if text.starts_with('=') => {
                            let mut address = text[1..].to_owned();
                            let place = self.explicit(&mut address, places)?;
                            *text = format!("={address}");
                            Some(Name::Cell(place))
                        }
                        Some(text) => Some(Name::Text(text.clone())),
                        None => None,
                    };
                    series.push(Series { name, values, categories });
                }
                series
            }
            _ => {
                return Err(Problem::new(
                    "a chart has series or data",
                    "give one of them: data: \"Data!A1:C9\", or series: [{values: …}]",
                ));
            }
        };
        for one in series.iter().flat_map(|it| [Some(it.values), it.categories]).flatten() {
            let is_line = one.range.width() == 1 || one.range.height() == 1;
            if !is_line || one.range.area() > MAX_POINTS {
                let remedy = format!("give a part of one row or column, of at most {MAX_POINTS} cells");
                return Err(Problem::new("the cells are no series", remedy).at(self.written(one)));
            }
        }
        if series.len() > MAX_SERIES {
            return Err(Problem::new(format!("a chart has at most {MAX_SERIES} series"), "give fewer"));
        }
        Ok(series)
    }

    /// A range with headers as series: one for each column behind the first.
    fn series_of_block(&self, place: Place) -> Result<Vec<Series>, Problem> {
        let (start, end) = (place.range.start(), place.range.end());
        let column = |first: u32, last: u32, col: u32| {
            CellRange::from_bounds(first, col, last, col).map(|range| Place { range, ..place })
        };
        let categories =
            (start.col() < end.col()).then(|| column(start.row() + 1, end.row(), start.col())).flatten();
        let first = start.col() + u32::from(categories.is_some());
        let series = (first..=end.col()).filter_map(|col| {
            let name = column(start.row(), start.row(), col).map(Name::Cell);
            Some(Series { name, values: column(start.row() + 1, end.row(), col)?, categories })
        });
        let series: Vec<Series> = series.collect();
        match series.is_empty() {
            true => Err(Problem::new("there is no row below the headers", "give header and data")
                .at(self.written(place))),
            false => Ok(series),
        }
    }

    fn chart_xml(&self, chart: &NewChart, series: &[Series]) -> Result<String, Problem> {
        use ChartKind::{Area, Bar, Column, Line, Pie, Scatter};
        let mut all = String::new();
        for (number, one) in series.iter().enumerate() {
            let [name, categories, values] = self.series_xml(one, chart.kind == Scatter)?;
            let marker =
                if chart.kind == Line { "<c:marker><c:symbol val=\"none\"/></c:marker>" } else { "" };
            let invert =
                if matches!(chart.kind, Bar | Column) { "<c:invertIfNegative val=\"0\"/>" } else { "" };
            let smooth = if matches!(chart.kind, Line | Scatter) { "<c:smooth val=\"0\"/>" } else { "" };
            all.push_str(&format!(
                "<c:ser><c:idx val=\"{number}\"/><c:order val=\"{number}\"/>{name}{invert}{marker}{categories}{values}{smooth}</c:ser>"
            ));
        }
        let ids = "<c:axId val=\"500000001\"/><c:axId val=\"500000002\"/>";
        let plain = "<c:varyColors val=\"0\"/>";
        let standard = "<c:grouping val=\"standard\"/>";
        let bars = |direction: &str| {
            format!(
                "<c:barChart><c:barDir val=\"{direction}\"/><c:grouping val=\"clustered\"/>{plain}{all}<c:gapWidth val=\"150\"/>{ids}</c:barChart>"
            )
        };
        let plot = match chart.kind {
            Line => format!("<c:lineChart>{standard}{plain}{all}<c:marker val=\"1\"/>{ids}</c:lineChart>"),
            Area => format!("<c:areaChart>{standard}{plain}{all}{ids}</c:areaChart>"),
            Bar => bars("bar"),
            Column => bars("col"),
            Pie => {
                format!("<c:pieChart><c:varyColors val=\"1\"/>{all}<c:firstSliceAng val=\"0\"/></c:pieChart>")
            }
            Scatter => format!(
                "<c:scatterChart><c:scatterStyle val=\"lineMarker\"/>{plain}{all}{ids}</c:scatterChart>"
            ),
        };
        let axes = match chart.kind {
            Pie => String::new(),
            Scatter => {
                axis("valAx", 1, "b", chart.x_title.as_deref())
                    + &axis("valAx", 2, "l", chart.y_title.as_deref())
            }
            Bar => {
                axis("catAx", 1, "l", chart.x_title.as_deref())
                    + &axis("valAx", 2, "b", chart.y_title.as_deref())
            }
            _ => {
                axis("catAx", 1, "b", chart.x_title.as_deref())
                    + &axis("valAx", 2, "l", chart.y_title.as_deref())
            }
        };
        let has_title = chart.title.is_some();
        Ok(format!(
            "<c:chartSpace xmlns:c=\"{CHART}\" xmlns:a=\"{DRAWING}\" xmlns:r=\"{RELATIONSHIP}\"><c:roundedCorners val=\"0\"/><c:chart>{}\
             <c:autoTitleDeleted val=\"{}\"/><c:plotArea><c:layout/>{plot}{axes}</c:plotArea><c:legend><c:legendPos val=\"r\"/>\
             <c:overlay val=\"0\"/></c:legend><c:plotVisOnly val=\"1\"/><c:dispBlanksAs val=\"gap\"/></c:chart></c:chartSpace>",
            title(chart.title.as_deref()),
            u8::from(!has_title),
        ))
    }

    /// Name, categories and values of a series; empty where it has none.
    fn series_xml(&self, series: &Series, is_xy: bool) -> Result<[String; 3], Problem> {
        let (x, y) = if is_xy { ("xVal", "yVal") } else { ("cat", "val") };
        let name = match &series.name {
            Some(Name::Text(text)) => format!("<c:tx><c:v>{}</c:v></c:tx>", escape_text(text)),
            Some(Name::Cell(place)) => format!("<c:tx>{}</c:tx>", self.cached(*place, false)?),
            None => String::new(),
        };
        let categories = match series.categories {
            Some(place) => format!("<c:{x}>{}</c:{x}>", self.cached(place, self.is_numeric(place)?)?),
            None => String::new(),
        };
        Ok([name, categories, format!("<c:{y}>{}</c:{y}>", self.cached(series.values, true)?)])
    }

    fn series_pieces(&self, series: &Series, is_xy: bool) -> Result<Vec<String>, Problem> {
        Ok(self.series_xml(series, is_xy)?.into_iter().filter(|piece| !piece.is_empty()).collect())
    }

    /// Whether cells hold numbers and nothing else.
    fn is_numeric(&self, place: Place) -> Result<bool, Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let mut values = sheet
            .cells_by_row(place.range)
            .map(|(_, cell)| cell.value)
            .filter(|it| *it != Value::Empty)
            .peekable();
        Ok(values.peek().is_some() && values.all(|value| matches!(value, Value::Number(_))))
    }

    /// A reference with what the cells show now, for programs that do not calculate.
    fn cached(&self, place: Place, as_numbers: bool) -> Result<String, Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let reference = escape_text(&self.reference(place.sheet, place.range));
        let mut points = String::new();
        let mut code = None;
        for (at, cell) in sheet.cells_by_row(place.range) {
            let index = at.row() - place.range.start().row() + at.col() - place.range.start().col();
            let text = match cell.value {
                Value::Number(number) if as_numbers => {
                    code.get_or_insert_with(|| self.book.styles.number_format_code(cell.style).to_owned());
                    number.to_string()
                }
                _ if as_numbers => continue,
                Value::Empty => continue,
                value => self.book.styles.text(value, cell.style, self.book.date_system),
            };
            points.push_str(&format!("<c:pt idx=\"{index}\"><c:v>{}</c:v></c:pt>", escape_text(&text)));
        }
        let kind = if as_numbers { "num" } else { "str" };
        let code = match as_numbers {
            true => {
                format!("<c:formatCode>{}</c:formatCode>", escape_text(code.as_deref().unwrap_or("General")))
            }
            false => String::new(),
        };
        let count = place.range.area();
        Ok(format!(
            "<c:{kind}Ref><c:f>{reference}</c:f><c:{kind}Cache>{code}<c:ptCount val=\"{count}\"/>{points}</c:{kind}Cache></c:{kind}Ref>"
        ))
    }
}

fn title(text: Option<&str>) -> String {
    let Some(text) = text else { return String::new() };
    let lines: String =
        text.lines().map(|line| format!("<a:p><a:r><a:t>{}</a:t></a:r></a:p>", escape_text(line))).collect();
    format!(
        "<c:title><c:tx><c:rich><a:bodyPr/><a:lstStyle/>{lines}</c:rich></c:tx><c:overlay val=\"0\"/></c:title>"
    )
}

/// The first axis, of categories, or the second one, of values.
fn axis(element: &str, number: u32, position: &str, text: Option<&str>) -> String {
    let gridlines = if number == 2 { "<c:majorGridlines/>" } else { "" };
    let own = match element {
        "catAx" => {
            "<c:auto val=\"1\"/><c:lblAlgn val=\"ctr\"/><c:lblOffset val=\"100\"/><c:noMultiLvlLbl val=\"0\"/>"
        }
        _ if number == 1 => "<c:crossBetween val=\"midCat\"/>",
        _ => "<c:crossBetween val=\"between\"/>",
    };
    format!(
        "<c:{element}><c:axId val=\"50000000{number}\"/><c:scaling><c:orientation val=\"minMax\"/></c:scaling><c:delete val=\"0\"/>\
         <c:axPos val=\"{position}\"/>{gridlines}{}<c:numFmt formatCode=\"General\" sourceLinked=\"1\"/><c:majorTickMark val=\"out\"/>\
         <c:minorTickMark val=\"none\"/><c:tickLblPos val=\"nextTo\"/><c:crossAx val=\"50000000{}\"/><c:crosses val=\"autoZero\"/>{own}</c:{element}>",
        title(text),
        3 - number,
    )
}

/// Text as an attribute's value.
pub(crate) fn attribute(text: &str) -> String {
    escape_text(text).replace('"', "&quot;").replace('\n', "&#10;")
}
