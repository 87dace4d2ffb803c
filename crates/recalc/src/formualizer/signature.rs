//! What kind of arguments a function takes: single values, cells, or arrays.

use std::collections::HashMap;
use std::rc::Rc;

use ironcalc_base::expressions::parser::static_analysis::add_implicit_intersection;
use ironcalc_base::expressions::parser::{Node, Parser, new_parser_english};
use ironcalc_base::expressions::types::CellReferenceRC;

use crate::formualizer::corrected::conditions;

/// Functions whose arguments are evaluated as arrays, also what is computed within them, in a formula that was not entered as an
/// array formula. `SUMPRODUCT(LEN(A1:A9))` and `LOOKUP(2,1/(A1:A9>0),B1:B9)` are known for it. (All newer ones are: a formula
/// that they are part of is stored as an array formula where it makes a difference.)
#[rustfmt::skip]
const ARRAYS: &[&str] = &[
    "AGGREGATE", "BYCOL", "BYROW", "CHISQ.TEST", "CHITEST", "CHOOSECOLS", "CHOOSEROWS", "CORREL", "COVAR",
    "COVARIANCE.P", "COVARIANCE.S", "DROP", "EXPAND", "F.TEST", "FILTER", "FORECAST", "FORECAST.LINEAR", "FREQUENCY",
    "FTEST", "GROWTH", "HSTACK", "INDEX", "INTERCEPT", "IRR", "LINEST", "LOGEST", "LOOKUP", "MAP", "MDETERM",
    "MINVERSE", "MIRR", "MMULT", "MODE", "MODE.MULT", "MODE.SNGL", "PEARSON", "PROB", "REDUCE", "RSQ", "SCAN",
    "SLOPE", "SORT", "SORTBY", "STEYX", "SUMPRODUCT", "SUMX2MY2", "SUMX2PY2", "SUMXMY2", "T.TEST", "TAKE", "TOCOL",
    "TOROW", "TRANSPOSE", "TREND", "TTEST", "UNIQUE", "VSTACK", "WRAPCOLS", "WRAPROWS", "XLOOKUP", "XMATCH", "Z.TEST",
    "ZTEST",
];

/// How an argument is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    /// As one value: of several cells the one beside the formula.
    Value,
    /// As cells, if it is some; what is computed instead is one value.
    Cells,
    /// As an array, with all that it is computed from.
    Array,
}

/// What a function takes, and whether it may yield several values for it.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) arguments: Vec<Meant>,
    pub(super) yields_many: bool,
}

/// The signatures of functions, by name and number of arguments, learned from how IronCalc reads formulas.
pub(super) struct Signatures {
    /// Made when the first function is asked for.
    parser: Option<Parser<'static>>,
    known: HashMap<(String, usize), Rc<Signature>>,
}

impl Signatures {
    pub(super) fn new() -> Signatures {
        Signatures { parser: None, known: HashMap::new() }
    }

    fn parse(&mut self, text: &str) -> Node {
        let context = CellReferenceRC { sheet: "Sheet1".to_owned(), row: 1, column: 1 };
        let parser = || new_parser_english(vec!["Sheet1".to_owned()], Vec::new(), HashMap::new());
        self.parser.get_or_insert_with(parser).parse(text, &context)
    }

    /// The signature of a function, by its name in capitals and without marks.
    pub(super) fn of(&mut self, name: &str, arguments: usize) -> Rc<Signature> {
        let key = (name.to_owned(), arguments);
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let signature = Rc::new(self.learn(name, arguments));
        self.known.insert(key, Rc::clone(&signature));
        signature
    }

    /// A call without arguments; `None` for a function that IronCalc does not know.
    pub(super) fn empty_call(&mut self, name: &str) -> Option<Node> {
        match self.parse(&format!("{name}()")) {
            call @ Node::FunctionKind { .. } => Some(call),
            _ => None,
        }
    }

    fn learn(&mut self, name: &str, arguments: usize) -> Signature {
        let takes_arrays = ARRAYS.contains(&name);
        let many = if takes_arrays { Meant::Array } else { Meant::Cells };
        let (with_cells, args) = self.intersected(name, "A1:B2", arguments);
        let (with_values, _) = self.intersected(name, "1", arguments);
        let meant = |is_value: bool| if is_value { Meant::Value } else { many };
        let mut meant: Vec<Meant> = match args {
            Some(args) => {
                args.iter().map(|arg| meant(matches!(arg, Node::ImplicitIntersection { .. }))).collect()
            }
            None => vec![many; arguments],
        };
        // What IronCalc takes as an array, to spill over it.
        match name {
            "MATCH" | "VLOOKUP" | "HLOOKUP" | "LOOKUP" | "XLOOKUP" | "XMATCH" if arguments > 0 => {
                meant[0] = Meant::Value;
            }
            // Holidays are any number of days.
            "WORKDAY" | "NETWORKDAYS" if arguments > 2 => meant[2] = Meant::Cells,
            "WORKDAY.INTL" | "NETWORKDAYS.INTL" if arguments > 3 => meant[3] = Meant::Cells,
            "SHEETS" | "ISFORMULA" | "TYPE" if arguments > 0 => meant[0] = Meant::Cells,
            "IMSUM" | "IMPRODUCT" => meant.fill(Meant::Cells),
            _ => {}
        }
        for condition in conditions(name, arguments).unwrap_or_default() {
            meant[condition] = Meant::Value;
        }
        Signature { arguments: meant, yields_many: with_cells || with_values }
    }

    /// Whether IronCalc would intersect what the function yields for such arguments, and the arguments as it would take them.
    fn intersected(&mut self, name: &str, argument: &str, count: usize) -> (bool, Option<Vec<Node>>) {
        let text = format!("{name}({})", vec![argument; count].join(","));
        let mut node = self.parse(&text);
        add_implicit_intersection(&mut node, true);
        match node {
            Node::ImplicitIntersection { child, .. } => match *child {
                Node::FunctionKind { args, .. } => (true, Some(args)),
                _ => (true, None),
            },
            Node::FunctionKind { args, .. } => (false, Some(args)),
            _ => (true, None),
        }
    }
}
