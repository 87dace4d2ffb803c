//! Words that give away what a cell is for, in some of the languages that sheets are written in.

/// Labels of summary rows, in lower case.
const TOTALS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sub-total",
    "sub total",
    "sum",
    "sums",
    "overall",
    "average",
    "avg",
    "maximum",
    "minimum",
    "median",
    "mean",
    "summe",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "insgesamt",
    "mittelwert",
    "durchschnitt",
    "somme",
    "total général",
    "sous-total",
    "moyenne",
    "totale",
    "totali",
    "somma",
    "media",
    "suma",
    "razem",
    "totaal",
    "gemiddelde",
    "итого",
    "всего",
    "сумма",
    "合計",
    "合计",
    "总计",
    "總計",
    "小計",
    "小计",
    "総計",
    "平均",
    "합계",
    "총계",
];

/// Names that columns often have, in lower case.
const HEADERS: &[&str] = &[
    "id",
    "no",
    "no.",
    "nr",
    "nr.",
    "#",
    "name",
    "first name",
    "last name",
    "surname",
    "full name",
    "date",
    "time",
    "year",
    "month",
    "day",
    "type",
    "kind",
    "category",
    "class",
    "group",
    "code",
    "key",
    "value",
    "description",
    "desc",
    "title",
    "status",
    "state",
    "country",
    "city",
    "region",
    "address",
    "street",
    "zip",
    "postcode",
    "postal code",
    "phone",
    "email",
    "e-mail",
    "mail",
    "url",
    "link",
    "website",
    "company",
    "customer",
    "client",
    "supplier",
    "product",
    "item",
    "sku",
    "qty",
    "quantity",
    "price",
    "amount",
    "cost",
    "unit",
    "units",
    "currency",
    "comment",
    "comments",
    "note",
    "notes",
    "remark",
    "remarks",
    "owner",
    "author",
    "user",
    "username",
    "role",
    "department",
    "team",
    "project",
    "task",
    "priority",
    "version",
    "language",
    "color",
    "colour",
    "size",
    "gender",
    "age",
    "label",
    "field",
    "column",
    "property",
    "parameter",
    "function",
    "formula",
    "expected",
    "actual",
    "result",
    "source",
    "target",
    "from",
    "to",
    "start",
    "end",
    "datum",
    "betrag",
    "menge",
    "preis",
    "beschreibung",
    "ort",
    "land",
    "nom",
    "prénom",
    "ville",
    "pays",
    "prix",
    "quantité",
    "nombre",
    "fecha",
    "importe",
    "cantidad",
    "precio",
];

/// Units that stand below names, in lower case.
const UNITS: &[&str] = &[
    "%", "€", "$", "£", "¥", "usd", "eur", "gbp", "chf", "kg", "g", "mg", "t", "lb", "m", "mm", "cm", "km",
    "m2", "m²", "m3", "m³", "l", "ml", "s", "ms", "h", "min", "d", "pcs", "pc", "stk", "°c", "c", "k", "pa",
    "bar", "kw", "kwh", "mwh", "w", "v", "a", "hz", "n", "nm", "mol", "ppm",
];

const MONTHS: &[&str] = &[
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "sept",
    "september",
    "october",
    "november",
    "december",
    "mär",
    "mai",
    "okt",
    "dez",
    "januar",
    "februar",
    "märz",
    "juni",
    "juli",
    "oktober",
    "dezember",
];

/// Whether a label says that its row sums up others: `Total`, `Total 2024`, `Summe:`, `North Total`.
pub(crate) fn is_total(label: &str) -> bool {
    let folded = label.trim().trim_end_matches([':', '.', '=']).trim().to_lowercase();
    if folded.chars().count() > 40 {
        return false;
    }
    let begins = |word: &&str| {
        folded.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(']))
    };
    let ends = |word: &&str| folded.strip_suffix(*word).is_some_and(|rest| rest.ends_with(' '));
    TOTALS.iter().any(|word| begins(word) || ends(word))
}

/// Whether a text under a table speaks about it: a source, a footnote, a sentence.
pub(crate) fn is_remark(text: &str) -> bool {
    let folded = text.trim().to_lowercase();
    let marks = [
        "*",
        "note",
        "source",
        "(",
        "†",
        "¹",
        "quelle",
        "hinweis",
        "anmerkung",
        "remark",
        "nota",
        "fuente",
        "注",
        "資料",
    ];
    marks.iter().any(|mark| folded.starts_with(mark)) || folded.chars().count() > 40 && folded.contains(' ')
}

/// Whether a text draws a line: `---`, `===`.
pub(crate) fn is_rule(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| matches!(letter, '-' | '=' | '_' | '–' | '—' | ' '))
}

/// Whether a text is a unit: `(kg)`, `[m/s]`, `%`, `USD`.
pub(crate) fn is_unit(text: &str) -> bool {
    let text = text.trim();
    let is_bracketed = text.starts_with(['(', '[']) && text.ends_with([')', ']']);
    is_bracketed || UNITS.contains(&text.to_lowercase().as_str())
}

/// Whether a text is a common name of columns.
pub(crate) fn is_header_word(text: &str) -> bool {
    let folded = text.trim().trim_end_matches(':').to_lowercase();
    HEADERS.contains(&folded.as_str())
}

/// Whether a text names a year, a quarter, a month or a half-year: `2024`, `Q1`, `Q1 2024`, `FY24`, `Jan-24`, `2024E`.
pub(crate) fn is_period(text: &str) -> bool {
    let folded = text.trim().to_lowercase();
    if folded.is_empty() || folded.len() > 20 {
        return false;
    }
    let mut parts = folded.split([' ', '-', '/', '.', '\'', '_']).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(is_period_part)
}

fn is_period_part(part: &str) -> bool {
    if MONTHS.contains(&part) {
        return true;
    }
    let is_year = |digits: &str| {
        let number: Option<u32> =
            digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.is_some_and(|number| digits.len() == 2 || digits.len() == 4 && (1900..=2100).contains(&number))
    };
    let bare = part.trim_end_matches(['a', 'e', 'f', 'b', 'p']);
    if is_year(part) && part.len() == 4 || is_year(bare) && bare.len() == 4 {
        return true;
    }
    ["fy", "cy", "q", "h", "ytd", "wk", "kw", "w"].iter().any(|prefix| {
        part.strip_prefix(prefix).is_some_and(|rest| {
            rest.is_empty() && prefix.len() > 1
                || is_year(rest)
                || rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit())
        })
    }) || part.len() == 2 && is_year(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        for text in ["Total", "TOTAL:", "Grand total", "Summe", "North Total", "Total (USD)", "合計"] {
            assert!(is_total(text), "{text}");
        }
        for text in ["Totally", "Subtle", "", "Name"] {
            assert!(!is_total(text), "{text}");
        }
    }

    #[test]
    fn periods() {
        for text in ["2024", "Q1", "Q1 2024", "FY24", "Jan", "Jan-24", "2024E", "FY 2024", "H1", "YTD"] {
            assert!(is_period(text), "{text}");
        }
        for text in ["", "Region", "20245", "Q", "Amount 2024"] {
            assert!(!is_period(text), "{text}");
        }
    }
}
