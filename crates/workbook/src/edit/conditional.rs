//! Conditional formats (ECMA-376 Part 1 §18.3.1.18, 18.3.1.10).

use grid::CellRef;
use ooxml::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::edit::cell_xml::number_text;
use crate::edit::error::Problem;
use crate::edit::format::{ColorInput, FormatPatch};
use crate::edit::input::{Input, stored_formula};
use crate::edit::parts::WORKSHEET_ORDER;
use crate::edit::styles::set_color;
use crate::edit::validation::{Comparison, operand, text_literal};
use crate::edit::{Draft, Place, areas};

/// Icon sets of ECMA-376, by their first character as many icons.
const ICON_SETS: [&str; 17] = [
    "3Arrows",
    "3ArrowsGray",
    "3Flags",
    "3TrafficLights1",
    "3TrafficLights2",
    "3Signs",
    "3Symbols",
    "3Symbols2",
    "4Arrows",
    "4ArrowsGray",
    "4RedToBlack",
    "4Rating",
    "4TrafficLights",
    "5Arrows",
    "5ArrowsGray",
    "5Rating",
    "5Quarters",
];

/// A rule that changes how cells look. Formulas are those of the range's first cell; relative references follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalRule {
    /// The cells.
    pub range: String,
    /// When it holds, and what it shows.
    pub rule: Condition,
    /// What it changes; not for scales, bars and icons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatPatch>,
    /// Its place among the sheet's rules, from 1; the last if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Whether later rules are skipped where it holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop_if_true: bool,
}

/// When a conditional format holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The value compares with one or two others.
    CellIs {
        /// How.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operator: Option<Comparison>,
        /// With what: numbers, texts, dates, formulas.
        values: Vec<Input>,
    },
    /// A formula is true.
    Expression {
        /// The formula, for the first cell.
        formula: String,
    },
    /// The text has another one in it.
    ContainsText {
        /// Which.
        text: String,
    },
    /// The text does not have another one in it.
    NotContainsText {
        /// Which.
        text: String,
    },
    /// The text begins with another one.
    BeginsWith {
        /// Which.
        text: String,
    },
    /// The text ends with another one.
    EndsWith {
        /// Which.
        text: String,
    },
    /// The cell is empty.
    Blanks,
    /// The cell is not empty.
    NotBlanks,
    /// The cell shows an error.
    Errors,
    /// The cell shows no error.
    NotErrors,
    /// The value is there more than once.
    Duplicate,
    /// The value is there once.
    Unique,
    /// The value is among the greatest.
    Top {
        /// How many.
        rank: u32,
        /// Whether `rank` is per cent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        percent: bool,
        /// Whether the smallest are meant.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        bottom: bool,
    },
    /// The value is above the average.
    Average {
        /// Whether below is meant.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        below: bool,
        /// Whether the average itself counts.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        equal: bool,
    },
    /// Colours between two or three points.
    ColorScale {
        /// The colours.
        colors: Vec<ColorInput>,
        /// Where they stand; the least, the middle and the greatest if nothing is said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Threshold>,
    },
    /// A bar as long as the value is great.
    DataBar {
        /// Its colour.
        color: ColorInput,
        /// Where it is shortest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Threshold>,
        /// Where it is longest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Threshold>,
        /// Whether the value is not shown.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hide_value: bool,
    },
    /// An icon of a set.
    IconSet {
        /// `3Arrows`, `3TrafficLights1`, `4Rating`, `5Quarters`, …
        icons: String,
        /// Where each icon starts; equal parts if nothing is said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Threshold>,
        /// Whether the icons come in the opposite order.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reverse: bool,
        /// Whether the value is not shown.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hide_value: bool,
    },
}

/// A point of a scale: a number, `"min"`, `"max"`, `"50%"` of the way, `"p90"` (a percentile), or `"=A1"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Threshold {
    Min,
    Max,
    Number(f64),
    Percent(f64),
    Percentile(f64),
    Formula(String),
}

impl TryFrom<Json> for Threshold {
    type Error = String;

    fn try_from(json: Json) -> Result<Threshold, String> {
        let wrong = || format!("{json} is no point of a scale; write a number, min, max, 50%, p90 or =A1");
        let share = |text: &str| {
            text.trim().parse().ok().filter(|share: &f64| (0.0..=100.0).contains(share)).ok_or_else(wrong)
        };
        match &json {
            Json::Number(number) => number.as_f64().map(Threshold::Number).ok_or_else(wrong),
            Json::String(text) => match text.as_str() {
                "min" => Ok(Threshold::Min),
                "max" => Ok(Threshold::Max),
                text if text.len() > 1 && text.starts_with('=') => {
                    formula::check_syntax(&text[1..]).map_err(|error| error.to_string())?;
                    Ok(Threshold::Formula(formula::to_stored(&text[1..]).into_owned()))
                }
                text => match (text.strip_suffix('%'), text.strip_prefix('p')) {
                    (Some(percent), _) => share(percent).map(Threshold::Percent),
                    (None, Some(percentile)) => share(percentile).map(Threshold::Percentile),
                    (None, None) => Err(wrong()),
                },
            },
            _ => Err(wrong()),
        }
    }
}

impl From<Threshold> for Json {
    fn from(point: Threshold) -> Json {
        match point {
            Threshold::Min => Json::from("min"),
            Threshold::Max => Json::from("max"),
            Threshold::Number(number) => Json::from(number),
            Threshold::Percent(share) => Json::from(format!("{share}%")),
            Threshold::Percentile(share) => Json::from(format!("p{share}")),
            Threshold::Formula(formula) => Json::from(format!("={formula}")),
        }
    }
}

impl Threshold {
    fn node(&self, like: &Node) -> Node {
        let (kind, value) = match self {
            Threshold::Min => ("min", None),
            Threshold::Max => ("max", None),
            Threshold::Number(number) => ("num", Some(number_text(*number))),
            Threshold::Percent(share) => ("percent", Some(number_text(*share))),
            Threshold::Percentile(share) => ("percentile", Some(number_text(*share))),
            Threshold::Formula(formula) => ("formula", Some(formula.clone())),
        };
        let mut node = like.sibling("cfvo").with("type", kind);
        node.set_or_unset("val", value.as_deref());
        node
    }
}

impl Draft {
    pub(crate) fn conditional_format(&mut self, place: Place, rule: &ConditionalRule) -> Result<(), Problem> {
        let shows_itself = matches!(
            rule.rule,
            Condition::ColorScale { .. } | Condition::DataBar { .. } | Condition::IconSet { .. }
        );
        let format = match (&rule.format, shows_itself) {
            (Some(patch), false) => Some(self.differential_format(patch)?),
            (None, true) => None,
            (None, false) => {
                return Err(Problem::new(
                    "the rule has no format",
                    "give for example format: {\"fill\": {\"color\": \"#FFC7CE\"}}",
                ));
            }
            (Some(_), true) => {
                return Err(Problem::new("a scale, bar or set of icons has no format", "leave format out"));
            }
        };
        let mut tree = self.frame(place.sheet)?;
        let mut node = tree.root.sibling("cfRule");
        self.write_condition(&mut node, &rule.rule, place.range.start())?;
        self.check_reach_of(&node)?;
        node.set_or_unset("dxfId", format.map(|index| index.to_string()).as_deref());
        let priority = make_room(&mut tree.root, rule.priority)?;
        node.set("priority", &priority.to_string());
        node.set_or_unset("stopIfTrue", rule.stop_if_true.then_some("1"));
        let list = tree.root.sibling("conditionalFormatting").with("sqref", place.range).with_child(node);
        tree.root.insert_in_order(list, &WORKSHEET_ORDER);
        self.put_frame(place.sheet, &tree)
    }

    /// Whether the formulas of a rule may be written: texts of elements, and values of points of scales.
    fn check_reach_of(&self, node: &Node) -> Result<(), Problem> {
        if node.children().next().is_none() {
            self.check_reach(&node.text())?;
        }
        self.check_reach(node.attr("val").as_deref().unwrap_or_default())?;
        node.children().try_for_each(|child| self.check_reach_of(child))
    }

    pub(crate) fn clear_conditional_formats(&mut self, place: Place) -> Result<(), Problem> {
        let mut tree = self.frame(place.sheet)?;
        match areas::cut(&mut tree.root, "conditionalFormatting", place.range) {
            true => self.put_frame(place.sheet, &tree),
            false => Ok(()),
        }
    }

    /// The rule's type with what belongs to it; `first` is the cell that its formulas are written for.
    fn write_condition(&self, node: &mut Node, rule: &Condition, first: CellRef) -> Result<(), Problem> {
        let mut plain = |kind: &str, formula: Option<String>| {
            node.set("type", kind);
            if let Some(formula) = formula {
                node.push(node.sibling("formula").with_text(&formula));
            }
        };
        match rule {
            Condition::CellIs { operator, values } => {
                let comparison = Comparison::of(*operator, values.len())?;
                plain("cellIs", None);
                node.set("operator", comparison.attribute());
                for value in values {
                    let formula = operand(value, self.book.date_system)?;
                    node.push(node.sibling("formula").with_text(&formula));
                }
            }
            Condition::Expression { formula } => {
                let formula = formula.trim().trim_start_matches('=').trim();
                if formula.is_empty() {
                    return Err(Problem::new("the formula is empty", "write for example =$B2>100"));
                }
                plain("expression", Some(stored_formula(formula)?));
            }
            Condition::ContainsText { text } => {
                let formula = format!("NOT(ISERROR(SEARCH({},{first})))", text_literal(text));
                write_text(node, "containsText", "containsText", text, &formula)?;
            }
            Condition::NotContainsText { text } => {
                let formula = format!("ISERROR(SEARCH({},{first}))", text_literal(text));
                write_text(node, "notContainsText", "notContains", text, &formula)?;
            }
            Condition::BeginsWith { text } => {
                let literal = text_literal(text);
                let formula = format!("LEFT({first},LEN({literal}))={literal}");
                write_text(node, "beginsWith", "beginsWith", text, &formula)?;
            }
            Condition::EndsWith { text } => {
                let literal = text_literal(text);
                let formula = format!("RIGHT({first},LEN({literal}))={literal}");
                write_text(node, "endsWith", "endsWith", text, &formula)?;
            }
            Condition::Blanks => plain("containsBlanks", Some(format!("LEN(TRIM({first}))=0"))),
            Condition::NotBlanks => plain("notContainsBlanks", Some(format!("LEN(TRIM({first}))>0"))),
            Condition::Errors => plain("containsErrors", Some(format!("ISERROR({first})"))),
            Condition::NotErrors => plain("notContainsErrors", Some(format!("NOT(ISERROR({first}))"))),
            Condition::Duplicate => plain("duplicateValues", None),
            Condition::Unique => plain("uniqueValues", None),
            Condition::Top { rank, percent, bottom } => {
                if *rank == 0 || *rank > if *percent { 100 } else { 1000 } {
                    return Err(Problem::new(
                        format!("a rank of {rank}"),
                        "write 1 to 1000, or 1 to 100 per cent",
                    ));
                }
                plain("top10", None);
                node.set_or_unset("percent", percent.then_some("1"));
                node.set_or_unset("bottom", bottom.then_some("1"));
                node.set("rank", &rank.to_string());
            }
            Condition::Average { below, equal } => {
                plain("aboveAverage", None);
                node.set_or_unset("aboveAverage", below.then_some("0"));
                node.set_or_unset("equalAverage", equal.then_some("1"));
            }
            Condition::ColorScale { colors, points } => write_scale(node, colors, points)?,
            Condition::DataBar { color, min, max, hide_value } => {
                plain("dataBar", None);
                let mut bar = node.sibling("dataBar");
                bar.set_or_unset("showValue", hide_value.then_some("0"));
                bar.push(min.as_ref().unwrap_or(&Threshold::Min).node(node));
                bar.push(max.as_ref().unwrap_or(&Threshold::Max).node(node));
                bar.push(colored(node, color));
                node.push(bar);
            }
            Condition::IconSet { icons, points, reverse, hide_value } => {
                write_icons(node, icons, points)?;
                if let Some(set) = node.child_mut("iconSet") {
                    set.set_or_unset("showValue", hide_value.then_some("0"));
                    set.set_or_unset("reverse", reverse.then_some("1"));
                }
            }
        }
        Ok(())
    }
}

fn write_text(node: &mut Node, kind: &str, operator: &str, text: &str, formula: &str) -> Result<(), Problem> {
    if text.is_empty() || text.encode_utf16().count() > 255 {
        return Err(Problem::new("the text of a rule has 1 to 255 characters", "use expression for others"));
    }
    node.set("type", kind);
    node.set("operator", operator);
    node.set("text", text);
    node.push(node.sibling("formula").with_text(formula));
    Ok(())
}

fn colored(like: &Node, color: &ColorInput) -> Node {
    let mut node = like.sibling("color");
    set_color(&mut node, color);
    node
}

fn write_scale(node: &mut Node, colors: &[ColorInput], points: &[Threshold]) -> Result<(), Problem> {
    let default = match colors.len() {
        2 => vec![Threshold::Min, Threshold::Max],
        3 => vec![Threshold::Min, Threshold::Percentile(50.0), Threshold::Max],
        count => {
            return Err(Problem::new(format!("a scale of {count} colours"), "give two or three colours"));
        }
    };
    let points = if points.is_empty() { &default } else { points };
    if points.len() != colors.len() {
        return Err(Problem::new(
            "a scale needs as many points as colours",
            "leave points out, or give one for each",
        ));
    }
    node.set("type", "colorScale");
    let mut scale = node.sibling("colorScale");
    points.iter().for_each(|point| scale.push(point.node(node)));
    colors.iter().for_each(|color| scale.push(colored(node, color)));
    node.push(scale);
    Ok(())
}

fn write_icons(node: &mut Node, icons: &str, points: &[Threshold]) -> Result<(), Problem> {
    if !ICON_SETS.contains(&icons) {
        let known = ICON_SETS.join(", ");
        return Err(Problem::new(format!("{icons:?} is no set of icons"), format!("write one of {known}")));
    }
    let count = icons.as_bytes()[0] - b'0';
    // Rounded as Excel rounds them: 0, 33, 67.
    let share = |index: u8| Threshold::Percent((f64::from(index) * 100.0 / f64::from(count)).round());
    let default: Vec<Threshold> = (0..count).map(share).collect();
    let points = if points.is_empty() { &default } else { points };
    if points.len() != usize::from(count) {
        return Err(Problem::new(
            format!("{icons} has {count} icons"),
            format!("give {count} points, or leave them out"),
        ));
    }
    node.set("type", "iconSet");
    let mut set = node.sibling("iconSet").with("iconSet", icons);
    points.iter().for_each(|point| set.push(point.node(node)));
    node.push(set);
    Ok(())
}

/// The priority of a new rule: behind all others, or a place that the later ones make room for.
fn make_room(root: &mut Node, wanted: Option<u32>) -> Result<u32, Problem> {
    let mut greatest = 0;
    root.for_each_mut(&mut |node| {
        if node.local_name() == "cfRule" {
            greatest = greatest.max(node.parsed("priority").unwrap_or(0));
        }
    });
    let last = greatest + 1;
    let Some(wanted) = wanted.filter(|wanted| *wanted < last) else { return Ok(last) };
    if wanted == 0 {
        return Err(Problem::new("there is no priority 0", "priorities start at 1, which comes first"));
    }
    root.for_each_mut(&mut |node| {
        let old = node.parsed::<u32>("priority").filter(|old| *old >= wanted);
        if let Some(old) = old.filter(|_| node.local_name() == "cfRule") {
            node.set("priority", &(old + 1).to_string());
        }
    });
    Ok(wanted)
}
