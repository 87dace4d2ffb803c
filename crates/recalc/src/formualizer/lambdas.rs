//! Functions that a formula defines: their calls, written so that the library can compute them.
//!
//! The library knows `LET`, and `LAMBDA` bound by it. A `LAMBDA` that is called where it stands becomes a `LET`; one that is handed
//! to `MAP` and its like becomes part of the arguments: `MAP(A1:A9,LAMBDA(x,x+1))` reads `MAP(A1:A9,x,x+1)`. Parameters get names
//! of their own on the way, so that none is taken for another.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_parse::parser::{ASTNode, ASTNodeType, ReferenceType};

use crate::engine::Refusal;
use crate::formualizer::intersect::bare_name;
use crate::formualizer::prepare::Fault;

/// Writes the calls of a formula's own functions out. Returns whether there were any.
pub(super) fn write_out(tree: &mut ASTNode) -> Result<bool, Fault> {
    let mut writer = Writer { named: 0, has_changed: false };
    writer.walk(tree)?;
    Ok(writer.has_changed)
}

/// How many parameters the function takes that a call is handed.
fn parameters(name: &str, arguments: usize) -> Option<usize> {
    match name {
        "REDUCE" | "SCAN" | "MAKEARRAY" => Some(2),
        "BYROW" | "BYCOL" => Some(1),
        "MAP" => Some(arguments.saturating_sub(1)),
        _ => None,
    }
}

struct Writer {
    /// Parameters that got a name so far.
    named: usize,
    has_changed: bool,
}

impl Writer {
    fn walk(&mut self, node: &mut ASTNode) -> Result<(), Fault> {
        match &mut node.node_type {
            ASTNodeType::Literal(_) | ASTNodeType::Omitted | ASTNodeType::Reference { .. } => Ok(()),
            ASTNodeType::UnaryOp { expr, .. } => self.walk(expr),
            ASTNodeType::BinaryOp { left, right, .. } => {
                self.walk(left)?;
                self.walk(right)
            }
            ASTNodeType::Array(rows) => rows.iter_mut().flatten().try_for_each(|item| self.walk(item)),
            ASTNodeType::Call { callee, args } => {
                let mut callee = std::mem::replace(callee.as_mut(), ASTNode::new(ASTNodeType::Omitted, None));
                let args = std::mem::take(args);
                self.has_changed = true;
                *node = self.called(&mut callee, args)?;
                self.walk(node)
            }
            ASTNodeType::Function { name, args } => {
                let name = bare_name(name);
                if let Some(count) = parameters(&name, args.len()) {
                    self.has_changed = true;
                    let function = args.pop();
                    match function.map(|function| self.handed(function, count)).transpose()? {
                        Some(Some(parts)) => args.extend(parts),
                        _ => {
                            *node = error(ExcelErrorKind::Value);
                            return Ok(());
                        }
                    }
                }
                if name == "ISOMITTED" {
                    return Err((Refusal::Unsupported, Some(name.into())));
                }
                args.iter_mut().try_for_each(|arg| self.walk(arg))
            }
        }
    }

    /// The `LET` that a call of a `LAMBDA` stands for.
    fn called(&mut self, callee: &mut ASTNode, args: Vec<ASTNode>) -> Result<ASTNode, Fault> {
        let Some((names, mut body)) = taken_apart(callee) else { return Err((Refusal::Unsupported, None)) };
        if args.len() > names.len() {
            return Ok(error(ExcelErrorKind::Value));
        }
        let mut pairs = Vec::new();
        let mut args = args.into_iter();
        for name in names {
            let arg = args.next().unwrap_or_else(|| ASTNode::new(ASTNodeType::Omitted, None));
            let is_omitted = matches!(arg.node_type, ASTNodeType::Omitted);
            let own = self.own_name(&name);
            rename(&mut body, &name, &own, Some(is_omitted));
            pairs.push(reference(&own));
            pairs.push(arg);
        }
        if pairs.is_empty() {
            return Ok(body);
        }
        pairs.push(body);
        Ok(ASTNode::new(ASTNodeType::Function { name: "LET".to_owned(), args: pairs }, None))
    }

    /// The parameters and the body of a function that is handed over; `None` if it takes another number of them.
    fn handed(&mut self, mut function: ASTNode, count: usize) -> Result<Option<Vec<ASTNode>>, Fault> {
        if let ASTNodeType::Reference { reference: ReferenceType::NamedRange(name), .. } = &function.node_type
        {
            let name = name.clone();
            let mut parts: Vec<ASTNode> = (0..count).map(|_| reference(&self.own_name("_xlpm.p"))).collect();
            parts.push(ASTNode::new(ASTNodeType::Function { name, args: parts.clone() }, None));
            return Ok(Some(parts));
        }
        let Some((names, mut body)) = taken_apart(&mut function) else {
            return Err((Refusal::Unsupported, None));
        };
        if names.len() != count {
            return Ok(None);
        }
        let mut parts = Vec::with_capacity(count + 1);
        for name in names {
            let own = self.own_name(&name);
            rename(&mut body, &name, &own, Some(false));
            parts.push(reference(&own));
        }
        parts.push(body);
        Ok(Some(parts))
    }

    fn own_name(&mut self, name: &str) -> String {
        self.named += 1;
        format!("{name}~{}", self.named)
    }
}

/// The parameters and the body of a `LAMBDA`.
fn taken_apart(node: &mut ASTNode) -> Option<(Vec<String>, ASTNode)> {
    let ASTNodeType::Function { name, args } = &mut node.node_type else { return None };
    if bare_name(name) != "LAMBDA" {
        return None;
    }
    let body = args.pop()?;
    let name_of = |arg: &ASTNode| match &arg.node_type {
        ASTNodeType::Reference { reference: ReferenceType::NamedRange(name), .. } => Some(name.clone()),
        _ => None,
    };
    Some((args.iter().map(name_of).collect::<Option<_>>()?, body))
}

fn reference(name: &str) -> ASTNode {
    let reference = ReferenceType::NamedRange(name.to_owned());
    ASTNode::new(ASTNodeType::Reference { original: name.to_owned(), reference }, None)
}

fn error(kind: ExcelErrorKind) -> ASTNode {
    ASTNode::new(ASTNodeType::Literal(LiteralValue::Error(ExcelError::new(kind))), None)
}

/// Gives a parameter another name; `ISOMITTED` of it is known where it is known what it stands for.
fn rename(node: &mut ASTNode, from: &str, to: &str, is_omitted: Option<bool>) {
    let is_it = |name: &str| same_parameter(name, from);
    match &mut node.node_type {
        ASTNodeType::Literal(_) | ASTNodeType::Omitted => {}
        ASTNodeType::Reference { original, reference: ReferenceType::NamedRange(name) } => {
            if is_it(name) {
                to.clone_into(original);
                to.clone_into(name);
            }
        }
        ASTNodeType::Reference { .. } => {}
        ASTNodeType::UnaryOp { expr, .. } => rename(expr, from, to, is_omitted),
        ASTNodeType::BinaryOp { left, right, .. } => {
            rename(left, from, to, is_omitted);
            rename(right, from, to, is_omitted);
        }
        ASTNodeType::Array(rows) => {
            rows.iter_mut().flatten().for_each(|item| rename(item, from, to, is_omitted));
        }
        ASTNodeType::Call { callee, args } => {
            rename(callee, from, to, is_omitted);
            args.iter_mut().for_each(|arg| rename(arg, from, to, is_omitted));
        }
        ASTNodeType::Function { name, args } => {
            if let (Some(is_omitted), "ISOMITTED", [arg]) =
                (is_omitted, bare_name(name).as_str(), args.as_slice())
                && let ASTNodeType::Reference { reference: ReferenceType::NamedRange(asked), .. } =
                    &arg.node_type
                && is_it(asked)
            {
                node.node_type = ASTNodeType::Literal(LiteralValue::Boolean(is_omitted));
                return;
            }
            if is_it(name) {
                to.clone_into(name);
            }
            args.iter_mut().for_each(|arg| rename(arg, from, to, is_omitted));
        }
    }
}

/// Parameters may be declared as optional (`_xlop.x`) and used as any (`_xlpm.x`).
fn same_parameter(name: &str, declared: &str) -> bool {
    let bare = |name: &str| {
        let marked = ["_xlpm.", "_xlop."]
            .iter()
            .any(|mark| name.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark)));
        if marked { name[6..].to_lowercase() } else { name.to_lowercase() }
    };
    bare(name) == bare(declared)
}
