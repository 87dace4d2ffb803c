//! Splits a format code into sections of tokens. What a token means in its section is decided later.

use crate::section::{Color, Comparison, Condition};

/// A digit placeholder: what it shows where the number has no significant digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// `0`: a zero.
    Zero,
    /// `#`: nothing.
    Hash,
    /// `?`: a space.
    Question,
}

/// A unit of a date or time, by its letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    /// `e`: a year of the era, which in en-US is the Gregorian year.
    EraYear,
    /// `g`: the name of an era, of which en-US has none.
    Era,
    /// `b`: a year of the Buddhist era.
    BuddhistYear,
    /// `m`: a month, or a minute beside hours or seconds.
    MonthOrMinute,
    Day,
    Hour,
    Second,
}

/// The two halves of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meridiem {
    /// `AM/PM`.
    Long,
    /// `A/P`.
    Short,
    /// `a/p`.
    ShortLower,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Literal(char),
    /// Text in quotes, or escaped: never part of a number.
    Quoted(String),
    /// The symbol of `[$€-407]`.
    Currency(String),
    Placeholder(Placeholder),
    Point,
    Comma,
    Percent,
    Slash,
    /// `E+` or `E-`; whether a plus is shown.
    Exponent {
        plus: bool,
    },
    /// `@`.
    Text,
    General,
    /// A unit and how many letters it has.
    Unit(Unit, usize),
    /// `[h]`, `[mm]`.
    Elapsed(Unit, usize),
    Meridiem(Meridiem),
    Color(Color),
    Condition(Condition),
}

/// The sections of a code, or `None` if it is not one.
pub(crate) fn sections(code: &str) -> Option<Vec<Vec<Token>>> {
    let mut sections = vec![Vec::new()];
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if first == ';' {
            sections.push(Vec::new());
            rest = &rest[1..];
            continue;
        }
        let tokens = sections.last_mut()?;
        rest = token(rest, first, tokens)?;
    }
    Some(sections)
}

/// Appends the token that starts `rest`, and returns what follows it.
fn token<'a>(rest: &'a str, first: char, tokens: &mut Vec<Token>) -> Option<&'a str> {
    let after = &rest[first.len_utf8()..];
    let simple = match first {
        '0' => Token::Placeholder(Placeholder::Zero),
        '#' => Token::Placeholder(Placeholder::Hash),
        '?' => Token::Placeholder(Placeholder::Question),
        '.' => Token::Point,
        ',' => Token::Comma,
        '%' => Token::Percent,
        '/' => Token::Slash,
        '@' => Token::Text,
        '"' => {
            let (text, after) = after.split_once('"')?;
            tokens.push(Token::Quoted(text.to_owned()));
            return Some(after);
        }
        '\\' => {
            let escaped = after.chars().next()?;
            tokens.push(Token::Quoted(escaped.to_string()));
            return Some(&after[escaped.len_utf8()..]);
        }
        '_' | '*' => {
            // `_x` leaves the width of an x, shown as a space; `*x` fills the column, which has no width here.
            let operand = after.chars().next()?;
            if first == '_' {
                tokens.push(Token::Quoted(" ".to_owned()));
            }
            return Some(&after[operand.len_utf8()..]);
        }
        '[' => {
            let (content, after) = after.split_once(']')?;
            bracket(content, tokens)?;
            return Some(after);
        }
        letter => return Some(word(rest, letter, tokens)),
    };
    tokens.push(simple);
    Some(after)
}

/// A word, a run of a unit's letter, or a literal character.
fn word<'a>(rest: &'a str, first: char, tokens: &mut Vec<Token>) -> &'a str {
    if let Some(after) = strip_word(rest, "General") {
        tokens.push(Token::General);
        return after;
    }
    for word in ["AM/PM", "上午/下午"] {
        if let Some(after) = strip_word(rest, word) {
            tokens.push(Token::Meridiem(Meridiem::Long));
            return after;
        }
    }
    if let Some(after) = strip_word(rest, "A/P") {
        tokens.push(Token::Meridiem(if first == 'A' { Meridiem::Short } else { Meridiem::ShortLower }));
        return after;
    }
    // `B1` and `B2` choose the Gregorian or the Hijri calendar; both are shown as Gregorian.
    if tokens.is_empty()
        && let Some(after) = strip_word(rest, "B1").or_else(|| strip_word(rest, "B2"))
    {
        return after;
    }
    let follows_digit =
        tokens.iter().rev().any(|token| matches!(token, Token::Placeholder(_) | Token::Point));
    if first.eq_ignore_ascii_case(&'e')
        && follows_digit
        && let Some(sign @ ('+' | '-')) = rest[1..].chars().next()
    {
        tokens.push(Token::Exponent { plus: sign == '+' });
        return &rest[2..];
    }
    match unit(first) {
        Some(unit) => {
            let after = rest.trim_start_matches(|letter: char| letter.eq_ignore_ascii_case(&first));
            tokens.push(Token::Unit(unit, rest.len() - after.len()));
            after
        }
        None => {
            tokens.push(Token::Literal(first));
            &rest[first.len_utf8()..]
        }
    }
}

fn strip_word<'a>(rest: &'a str, word: &str) -> Option<&'a str> {
    rest.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| &rest[word.len()..])
}

fn unit(letter: char) -> Option<Unit> {
    Some(match letter.to_ascii_lowercase() {
        'y' => Unit::Year,
        'e' => Unit::EraYear,
        'g' => Unit::Era,
        'b' => Unit::BuddhistYear,
        'm' => Unit::MonthOrMinute,
        'd' => Unit::Day,
        'h' => Unit::Hour,
        's' => Unit::Second,
        _ => return None,
    })
}

/// What stands between brackets.
fn bracket(content: &str, tokens: &mut Vec<Token>) -> Option<()> {
    if let Some(currency) = content.strip_prefix('$') {
        // `symbol-locale`, where the locale may hold hyphens itself: `[$-x-sysdate]`.
        let symbol = currency.split_once('-').map_or(currency, |(symbol, _)| symbol);
        if !symbol.is_empty() {
            tokens.push(Token::Currency(symbol.to_owned()));
        }
        return Some(());
    }
    if content.starts_with(['<', '>', '=']) {
        tokens.push(Token::Condition(condition(content)?));
        return Some(());
    }
    if let Some(color) = Color::parse(content) {
        tokens.push(Token::Color(color));
        return Some(());
    }
    let first = content.chars().next()?;
    if let Some(unit @ (Unit::Hour | Unit::MonthOrMinute | Unit::Second)) = unit(first)
        && content.chars().all(|letter| letter.eq_ignore_ascii_case(&first))
    {
        tokens.push(Token::Elapsed(unit, content.len()));
        return Some(());
    }
    // Numeral systems and calendars of other languages (`[DBNum1]`, `[ENG]`, `[~buddhist]`) change nothing here.
    let modifier = ["DBNum", "NatNum", "ENG", "HIJ", "JPN", "TWN", "~"]
        .iter()
        .any(|prefix| content.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)));
    modifier.then_some(())
}

fn condition(content: &str) -> Option<Condition> {
    const COMPARISONS: [(&str, Comparison); 6] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<>", Comparison::NotEqual),
        ("<", Comparison::Below),
        (">", Comparison::Above),
        ("=", Comparison::Equal),
    ];
    let (operand, comparison) =
        COMPARISONS.iter().find_map(|&(sign, comparison)| Some((content.strip_prefix(sign)?, comparison)))?;
    let bound: f64 = operand.trim().parse().ok()?;
    bound.is_finite().then_some(Condition { comparison, bound })
}
