//! The format codes that a file names by number only (ECMA-376 Part 1 §18.8.30).

/// The code of a built-in format id as an en-US Excel shows it; `None` if the file itself must define the id.
///
/// Ids 27–36 and 50–58 depend on the language of the Excel that shows them: dates and times in East Asia. Their
/// codes here are an en-US Excel's nearest, so that a number is still known to be a date.
pub const fn builtin(id: u16) -> Option<&'static str> {
    Some(match id {
        0 => "General",
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        5 => r##""$"#,##0_);\("$"#,##0\)"##,
        6 => r##""$"#,##0_);[Red]\("$"#,##0\)"##,
        7 => r##""$"#,##0.00_);\("$"#,##0.00\)"##,
        8 => r##""$"#,##0.00_);[Red]\("$"#,##0.00\)"##,
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14 => "m/d/yyyy",
        15 => "d-mmm-yy",
        16 => "d-mmm",
        17 => "mmm-yy",
        18 => "h:mm AM/PM",
        19 => "h:mm:ss AM/PM",
        20 => "h:mm",
        21 => "h:mm:ss",
        22 => "m/d/yyyy h:mm",
        27..=31 | 36 | 50..=54 | 57..=58 => "m/d/yyyy",
        32 | 55 => "h:mm",
        33 | 56 => "h:mm:ss",
        34 => "h:mm AM/PM",
        35 => "h:mm:ss AM/PM",
        37 => r"#,##0_);\(#,##0\)",
        38 => r"#,##0_);[Red]\(#,##0\)",
        39 => r"#,##0.00_);\(#,##0.00\)",
        40 => r"#,##0.00_);[Red]\(#,##0.00\)",
        41 => r##"_(* #,##0_);_(* \(#,##0\);_(* "-"_);_(@_)"##,
        42 => r##"_("$"* #,##0_);_("$"* \(#,##0\);_("$"* "-"_);_(@_)"##,
        43 => r##"_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)"##,
        44 => r##"_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)"##,
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mm:ss.0",
        48 => "##0.0E+0",
        49 => "@",
        _ => return None,
    })
}
