//! Charts: DrawingML chart parts (ECMA-376 Part 1 §21.2) and the `chartex` parts of 2014 (MS-ODRAWXML §2.24.3).

use ooxml::{Element, Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{Chart, ChartSeries, Placement};

/// Values of a literal list that are told; the rest is an ellipsis.
const MAX_LITERALS: usize = 32;

/// Elements that decide where a text belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// A plot (`c:barChart`), or the region that holds a chartex's series.
    Plot,
    Series,
    Axis,
    Title,
    /// The name of a series, or the text of a title.
    Tx,
    Categories,
    Values,
    /// Values that stand in the chart itself.
    Literal,
    /// The data of a chartex, apart from its series.
    Data,
    Formula,
    Run,
    Value,
    Other,
}

/// Reads a chart's part. Its name and place are its drawing's to tell.
pub(super) fn read(package: &Package, part: &str, limits: &Limits) -> Result<Chart, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut reading = Reading::new(part, limits);
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => {
                let tag = reading.start(&element)?;
                if !element.is_empty {
                    reading.path.push(tag);
                }
            }
            XmlEvent::Text(piece) if reading.is_in_leaf() => reading.text.push_str(&piece),
            XmlEvent::Text(_) => {}
            XmlEvent::End(name) => reading.end(name.as_str())?,
        }
    }
    Ok(reading.finish())
}

/// The titles of a chart or an axis come in pieces: the reference wins over runs of text, these over a cached value.
#[derive(Default)]
struct Title {
    reference: Option<String>,
    runs: String,
    cached: Option<String>,
}

impl Title {
    fn text(self) -> Option<String> {
        let runs = self.runs.trim();
        self.reference.or_else(|| (!runs.is_empty()).then(|| runs.to_owned())).or(self.cached)
    }
}

/// A `cx:data` block: what a chartex's series points to.
#[derive(Default)]
struct Data {
    id: String,
    categories: Option<String>,
    values: Option<String>,
}

struct Reading<'a> {
    limits: &'a Limits,
    chart: Chart,
    path: Vec<Tag>,
    text: String,
    title: Title,
    literals: Vec<String>,
    data: Vec<Data>,
    /// For each series of a chartex, the data that it points to.
    data_ids: Vec<(usize, String)>,
}

impl<'a> Reading<'a> {
    fn new(part: &str, limits: &'a Limits) -> Reading<'a> {
        Reading {
            limits,
            chart: Chart {
                name: String::new(),
                kinds: Vec::new(),
                title: None,
                axis_titles: Vec::new(),
                anchor: None,
                placement: Placement::default(),
                series: Vec::new(),
                part: part.to_owned(),
            },
            path: Vec::new(),
            text: String::new(),
            title: Title::default(),
            literals: Vec::new(),
            data: Vec::new(),
            data_ids: Vec::new(),
        }
    }

    fn is_in_leaf(&self) -> bool {
        matches!(self.path.last(), Some(Tag::Formula | Tag::Run | Tag::Value))
    }

    fn start(&mut self, element: &Element<'_>) -> Result<Tag, OpenError> {
        let name = element.name();
        if let Some(kind) = plot_kind(name) {
            self.add_kind(kind);
            return Ok(Tag::Plot);
        }
        let parent = self.path.last().copied();
        let tag = match name {
            "plotAreaRegion" => Tag::Plot,
            // Series that a filter hides stand in an extension: not in a plot.
            "ser" | "series" if parent == Some(Tag::Plot) => {
                check_length(self.chart.series.len(), self.limits)?;
                self.chart.series.push(ChartSeries::default());
                if let Some(layout) = element.attr("layoutId") {
                    self.add_kind(layout_kind(&layout));
                }
                Tag::Series
            }
            "barDir" if parent == Some(Tag::Plot) && element.attr("val").as_deref() == Some("col") => {
                self.rename_bar();
                Tag::Other
            }
            "catAx" | "valAx" | "dateAx" | "serAx" | "axis" => Tag::Axis,
            "title" => Tag::Title,
            "tx" => Tag::Tx,
            "cat" | "xVal" => Tag::Categories,
            "val" | "yVal" => Tag::Values,
            "strLit" | "numLit" => Tag::Literal,
            "data" => {
                check_length(self.data.len(), self.limits)?;
                self.data.push(Data { id: element.attr("id").unwrap_or_default(), ..Data::default() });
                Tag::Data
            }
            "strDim" | "numDim" if parent == Some(Tag::Data) => match element.attr("type").as_deref() {
                Some("cat" | "x") => Tag::Categories,
                Some("val" | "y" | "size") => Tag::Values,
                _ => Tag::Other,
            },
            "dataId" if parent == Some(Tag::Series) => {
                let series = self.chart.series.len() - 1;
                check_length(self.data_ids.len(), self.limits)?;
                self.data_ids.push((series, element.attr("val").unwrap_or_default()));
                Tag::Other
            }
            "f" => Tag::Formula,
            "t" => Tag::Run,
            "v" => Tag::Value,
            _ => Tag::Other,
        };
        self.text.clear();
        Ok(tag)
    }

    fn end(&mut self, name: &str) -> Result<(), OpenError> {
        let tag = self.path.pop();
        match tag {
            Some(leaf @ (Tag::Formula | Tag::Run | Tag::Value)) => {
                let text = std::mem::take(&mut self.text);
                self.leaf(leaf, text);
            }
            Some(Tag::Title) => {
                let text = std::mem::take(&mut self.title).text();
                if self.path.contains(&Tag::Axis) {
                    check_length(self.chart.axis_titles.len(), self.limits)?;
                    self.chart.axis_titles.extend(text);
                } else if self.chart.title.is_none() {
                    self.chart.title = text;
                }
            }
            Some(Tag::Literal) => {
                let literals = std::mem::take(&mut self.literals);
                if !literals.is_empty() {
                    self.set_series(format!("{{{}}}", literals.join(",")));
                }
            }
            Some(Tag::Other) if matches!(name, "p" | "br") && self.path.contains(&Tag::Title) => {
                self.title.runs.push('\n');
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the text of an `f`, `t` or `v`.
    fn leaf(&mut self, leaf: Tag, text: String) {
        if text.trim().is_empty() && leaf != Tag::Run {
            return;
        }
        let is_title = self.path.contains(&Tag::Title);
        match leaf {
            _ if is_title && !self.path.contains(&Tag::Tx) => {}
            Tag::Formula if is_title => self.title.reference = Some(text),
            Tag::Run if is_title => self.title.runs.push_str(&text),
            Tag::Value if is_title => self.title.cached = Some(text),
            Tag::Formula => self.set_series(text),
            // Directly below `c:tx`, or below `cx:txData`, a literal name; deeper, the cache of a reference.
            Tag::Value if self.path.last() == Some(&Tag::Tx) => self.set_series(text),
            Tag::Value if self.path.iter().rev().nth(1) == Some(&Tag::Tx) => self.set_series_if_none(text),
            Tag::Value if self.path.contains(&Tag::Literal) => match self.literals.len() {
                MAX_LITERALS => self.literals.push("…".to_owned()),
                length if length < MAX_LITERALS => self.literals.push(text),
                _ => {}
            },
            _ => {}
        }
    }

    /// The field that the path leads to: of the last series, or of the last data block of a chartex.
    fn field(&mut self) -> Option<&mut Option<String>> {
        let at = self.path.iter().position(|tag| matches!(tag, Tag::Series | Tag::Data))?;
        let field = self.path.get(at + 1)?;
        if self.path[at] == Tag::Data {
            let data = self.data.last_mut()?;
            return match field {
                Tag::Categories => Some(&mut data.categories),
                Tag::Values => Some(&mut data.values),
                _ => None,
            };
        }
        let series = self.chart.series.last_mut()?;
        match field {
            Tag::Tx => Some(&mut series.name),
            Tag::Categories => Some(&mut series.categories),
            Tag::Values => Some(&mut series.values),
            _ => None,
        }
    }

    fn set_series(&mut self, text: String) {
        if let Some(field) = self.field() {
            *field = Some(text);
        }
    }

    fn set_series_if_none(&mut self, text: String) {
        if let Some(field) = self.field() {
            field.get_or_insert(text);
        }
    }

    fn add_kind(&mut self, kind: &str) {
        if !self.chart.kinds.iter().any(|known| known == kind) {
            self.chart.kinds.push(kind.to_owned());
        }
    }

    /// A bar chart whose bars stand is what everyone calls a column chart.
    fn rename_bar(&mut self) {
        if let Some(kind @ ("bar" | "bar3D")) = self.chart.kinds.last().map(String::as_str) {
            let column = kind.replace("bar", "column");
            self.chart.kinds.pop();
            self.add_kind(&column);
        }
    }

    fn finish(mut self) -> Chart {
        for (series, id) in self.data_ids {
            let data = self.data.iter().find(|data| data.id == id);
            if let (Some(data), Some(series)) = (data, self.chart.series.get_mut(series)) {
                series.categories.clone_from(&data.categories);
                series.values.clone_from(&data.values);
            }
        }
        self.chart
    }
}

fn check_length(length: usize, limits: &Limits) -> Result<(), OpenError> {
    if length >= limits.max_list_items as usize {
        return Err(OpenError::too_many_items(limits));
    }
    Ok(())
}

/// The kind of a plot by its element; `None` for elements that are no plot.
fn plot_kind(element: &str) -> Option<&'static str> {
    Some(match element {
        "areaChart" => "area",
        "area3DChart" => "area3D",
        "barChart" => "bar",
        "bar3DChart" => "bar3D",
        "bubbleChart" => "bubble",
        "doughnutChart" => "doughnut",
        "lineChart" => "line",
        "line3DChart" => "line3D",
        "ofPieChart" => "ofPie",
        "pieChart" => "pie",
        "pie3DChart" => "pie3D",
        "radarChart" => "radar",
        "scatterChart" => "scatter",
        "stockChart" => "stock",
        "surfaceChart" => "surface",
        "surface3DChart" => "surface3D",
        _ => return None,
    })
}

/// The kind of a chartex's series (`ST_SeriesLayout`).
fn layout_kind(layout: &str) -> &'static str {
    match layout {
        "boxWhisker" => "boxWhisker",
        "clusteredColumn" => "histogram",
        "funnel" => "funnel",
        "paretoLine" => "pareto",
        "regionMap" => "map",
        "sunburst" => "sunburst",
        "treemap" => "treemap",
        "waterfall" => "waterfall",
        _ => "other",
    }
}
