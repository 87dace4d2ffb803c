//! The specification of a checklist: its boxes, in order, and how each of them is known.

mod check;
mod load;
mod validate;

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::{
    AttestationCheck, BuiltinCheck, Check, CommandCheck, Evidence, FileCheck, Folder, HttpCheck,
    ManifestCheck, PromqlCheck, SignOffCheck,
};
pub use load::{Loaded, SpecError};
pub(crate) use validate::is_below;

/// A checklist: sections of boxes, who signs, and in which profiles it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The version of this format: 1.
    pub format: u32,
    /// What the checklist is called.
    pub title: String,
    /// The service that it is about.
    pub service: String,
    /// A Markdown document whose task list has the same boxes, in the same order and wording; from the folder of this file. The Markdown
    /// report is that document, filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<PathBuf>,
    /// Who answers for boxes, and signs.
    pub roles: BTreeMap<String, Role>,
    /// For which occasions it is run.
    pub profiles: BTreeMap<String, Profile>,
    /// What decides whether boxes apply.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Fact>,
    /// How far a waiver may go.
    #[serde(default)]
    pub waivers: WaiverRules,
    /// How long servers may start by a verdict; what it rests on is judged when it is given.
    #[serde(default = "quarter")]
    pub verdict_lifetime: Period,
    /// What is done when a deployment has to go back, phase by phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback: Vec<Phase>,
    /// The boxes.
    pub sections: Vec<Section>,
}

/// A phase of going back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Phase {
    /// The section whose boxes are its steps.
    pub section: String,
    /// Until when it is to be done, from the beginning.
    pub within: Period,
    /// What to do, step by step, as commands or in words.
    pub steps: BTreeMap<ItemId, String>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// What the group is called.
    pub title: String,
    /// Whether nothing ships before somebody of it has signed.
    #[serde(default)]
    pub signs: bool,
}

/// An occasion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// What it is for.
    pub about: String,
    /// Only boxes whose ids begin with one of these; all without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// None whose ids begin with one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Only what is known by these kinds of checks; by all without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Whether what only people know counts, too: attestations.
    #[serde(default = "yes")]
    pub attestations: bool,
    /// Whether the roles that sign have to.
    #[serde(default = "yes")]
    pub sign_offs: bool,
    /// What it takes for granted: values of facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Fact {
    /// Whether it can have a value.
    pub fn can_be(&self, value: &str) -> bool {
        self.values.is_empty() || self.values.iter().any(|known| known == value)
    }
}

/// Something that decides whether boxes apply, such as how the service is rolled out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fact {
    /// What it says.
    pub about: String,
    /// The values that it can have; any text without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What it is when nobody says otherwise.
    pub default: String,
}

/// How far a waiver may go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WaiverRules {
    /// How long a waiver may hold.
    pub longest: Period,
}

impl Default for WaiverRules {
    fn default() -> WaiverRules {
        WaiverRules { longest: Period(Duration::from_secs(30 * 86_400)) }
    }
}

/// A heading and its boxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Section {
    /// Its name, in small letters; ids of its boxes begin with it.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The role that answers for its boxes, where they say no other.
    pub owner: String,
    /// Its boxes.
    pub items: Vec<Item>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Item {
    /// Its name, which stays the same for ever: `sec.container.non-root`.
    pub id: ItemId,
    /// The words beside the box.
    pub title: String,
    /// The role that answers for it; otherwise that of the group or section that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it means when it is not checked off.
    #[serde(default)]
    pub severity: Severity,
    /// When it applies: `fact=value` or `fact!=value`; several have to hold together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
    /// How long what is known counts; 24 h without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Period>,
    /// Whether somebody may take the risk for a while.
    #[serde(default = "yes")]
    pub waivable: bool,
    /// What to do when it is not checked off.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// How it is known; a group is known by its boxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// The boxes below it, of which it is the sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// What a box that is not checked off means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to have: it warns, and stops nothing.
    Minor,
    /// Nothing ships.
    #[default]
    Major,
    /// Nothing ships, and data or people are in danger.
    Critical,
}

impl Severity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Minor => "minor",
            Severity::Major => "major",
            Severity::Critical => "critical",
        }
    }
}

/// The name of a box: words of small letters, digits and hyphens, with dots between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(#[schemars(regex(pattern = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"))] String);

impl ItemId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ItemId {
    type Error = String;

    fn try_from(text: String) -> Result<ItemId, String> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if text.contains('.') && text.split('.').all(is_word) {
            Ok(ItemId(text))
        } else {
            Err(format!(
                "{text:?} is no id: words of a-z, 0-9 and - with dots between them, as sec.container.non-root"
            ))
        }
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> String {
        id.0
    }
}

/// A fact that has, or has not, a value: `deployment=canary`, `deployment!=canary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Condition {
    /// The fact.
    pub fact: String,
    /// The value.
    pub value: String,
    /// Whether it has to have it, or must not.
    pub holds: bool,
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Condition, String> {
        let (holds, parts) = match text.split_once("!=") {
            Some(parts) => (false, Some(parts)),
            None => (true, text.split_once('=')),
        };
        let (fact, value) =
            parts.ok_or_else(|| format!("{text:?} is no condition: fact=value or fact!=value"))?;
        Ok(Condition { fact: fact.trim().to_owned(), value: value.trim().to_owned(), holds })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.fact, if self.holds { "=" } else { "!=" }, self.value)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> String {
        condition.to_string()
    }
}

/// A length of time, as `30s`, `24h` or `90d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Period(pub Duration);

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Period, String> {
        humantime::parse_duration(&text).map(Period).map_err(|error| format!("{text:?} is no time: {error}"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        // Days are what people think in, and the crate thinks in months.
        match seconds {
            _ if seconds > 0 && seconds.is_multiple_of(86_400) => write!(f, "{}d", seconds / 86_400),
            _ => humantime::format_duration(self.0).fmt(f),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

fn quarter() -> Period {
    Period(Duration::from_secs(90 * 86_400))
}

fn yes() -> bool {
    true
}

/// A box with what the groups and the section around it say.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The box.
    pub item: &'a Item,
    /// Its section.
    pub section: &'a Section,
    /// The group that it is in.
    pub group: Option<&'a Item>,
}

impl Placed<'_> {
    /// The role that answers for it.
    pub fn owner(&self) -> &str {
        let of_group = || self.group.and_then(|group| group.owner.as_deref());
        self.item.owner.as_deref().or_else(of_group).unwrap_or(&self.section.owner)
    }

    /// How long what is known of it counts.
    pub fn lifetime(&self) -> Duration {
        self.item.lifetime.map_or(Duration::from_secs(86_400), |period| period.0)
    }

    /// What has to hold for it to apply.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.group.iter().flat_map(|group| &group.when).chain(&self.item.when)
    }
}

impl Item {
    /// Whether it is known by the boxes below it.
    pub fn is_group(&self) -> bool {
        !self.items.is_empty()
    }
}

impl Spec {
    /// The JSON Schema of specifications, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Spec).to_value()
    }

    /// All boxes, in order, groups before what is in them.
    pub fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        self.sections.iter().flat_map(|section| {
            section.items.iter().flat_map(move |item| {
                let below =
                    item.items.iter().map(move |below| Placed { item: below, section, group: Some(item) });
                std::iter::once(Placed { item, section, group: None }).chain(below)
            })
        })
    }

    /// The box of a name.
    pub fn find(&self, id: &str) -> Option<Placed<'_>> {
        self.placed().find(|placed| placed.item.id.as_str() == id)
    }

    /// The box whose name is most like a wrong one.
    pub fn similar(&self, id: &str) -> Option<&ItemId> {
        let ids = self.placed().map(|placed| &placed.item.id);
        ids.map(|known| (strsim::jaro_winkler(known.as_str(), id), known))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known)
    }
}
