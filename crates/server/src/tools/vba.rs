//! `vba`: the source of macros, which are never executed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use workbook::{VbaModule, VbaModuleKind};

use crate::{
    call::Call,
    cursor,
    error::{ErrorCode, ToolError},
    near_miss::near_misses,
    open::Opened,
    room::Room,
    tool::Tool,
};

/// Tells macros.
#[derive(Debug)]
pub(super) struct Vba;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Only this one.
    module: Option<String>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    modules: Vec<ModuleEntry>,
    /// Of the workbook.
    module_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ModuleEntry {
    name: String,
    kind: &'static str,
    /// Of the whole module.
    lines: usize,
    /// Where the source begins, if not with the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_line: Option<usize>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    source: String,
    /// Its source is there, and damaged.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    unreadable: bool,
}

impl Tool for Vba {
    const NAME: &'static str = super::VBA;
    const TITLE: &'static str = "Read macros";
    const DESCRIPTION: &'static str =
        "Modules of a workbook's VBA macros with their source; nothing is executed.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state, params.module]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;
        let modules = modules(&opened)?;
        let wanted = match &params.module {
            Some(name) => vec![module_named(&modules, name)?],
            None => modules.iter().collect(),
        };
        let (first_module, first_line) = ((start >> 32) as usize, start as u32 as usize);
        let mut room = Room::of(call);
        let mut entries = Vec::new();
        let mut next = None;
        for (index, module) in wanted.iter().enumerate().skip(first_module) {
            call.check()?;
            let from = if index == first_module { first_line } else { 0 };
            let Some((entry, stopped_at)) = ModuleEntry::of(module, from, &mut room, entries.is_empty())
            else {
                next = Some((index as u64) << 32);
                break;
            };
            entries.push(entry);
            if let Some(line) = stopped_at {
                next = Some((index as u64) << 32 | line as u64);
                break;
            }
        }
        Ok(Answer {
            modules: entries,
            module_count: modules.len(),
            next_cursor: next.map(|position| cursor::encode(&scope, position)),
        })
    }
}

fn modules(opened: &Opened) -> Result<Vec<VbaModule>, ToolError> {
    let book = &opened.book.workbook;
    let modules = book.vba_modules().map_err(|error| ToolError::from(error).at(opened.path.clone()))?;
    modules.ok_or_else(|| {
        let what = format!("the macros of a .{} file are not read", book.format.extension());
        ToolError::new(ErrorCode::UnsupportedFile, what)
            .at(opened.path.clone())
            .hint("save a copy as .xlsm and open that")
    })
}

/// The module of a name, without regard to case.
fn module_named<'a>(modules: &'a [VbaModule], name: &str) -> Result<&'a VbaModule, ToolError> {
    let folded = name.to_lowercase();
    modules.iter().find(|module| module.name.to_lowercase() == folded).ok_or_else(|| {
        ToolError::new(ErrorCode::NotFound, format!("there is no module {name:?}"))
            .at("module")
            .hint("leave module out to list them all")
            .candidates(near_misses(name, modules.iter().map(|module| module.name.as_str())))
    })
}

impl ModuleEntry {
    /// As much of a module as there is room for, from a line on, and the line where the next page starts; nothing if
    /// there is no room. Where it `must` be told, it is, with a line at least.
    fn of(
        module: &VbaModule,
        from: usize,
        room: &mut Room,
        must: bool,
    ) -> Option<(ModuleEntry, Option<usize>)> {
        let lines: Vec<&str> = module.source.iter().flat_map(|source| source.lines()).collect();
        let mut entry = ModuleEntry {
            name: room.text(module.name.clone()),
            kind: match module.kind {
                VbaModuleKind::Procedural => "procedural",
                VbaModuleKind::ClassOrDocument => "class or document",
            },
            lines: lines.len(),
            from_line: (from > 0).then_some(from + 1),
            source: String::new(),
            unreadable: module.source.is_none(),
        };
        if !room.take(&entry) && !must {
            return None;
        }
        let mut told = from;
        for line in lines.iter().skip(from) {
            let is_first = told == from;
            let line = room.text((*line).to_owned());
            let fits = room.take(&line) || (is_first && must);
            if !fits {
                break;
            }
            if !is_first {
                entry.source.push('\n');
            }
            entry.source.push_str(&line);
            told += 1;
        }
        if told == from && from < lines.len() {
            return None;
        }
        Some((entry, (told < lines.len()).then_some(told)))
    }
}
