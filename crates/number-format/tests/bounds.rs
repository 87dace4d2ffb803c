//! No code and no value panics or costs more than its budget.

use grid::{DateSystem, Value};
use number_format::{MAX_CODE_BYTES, MAX_TEXT_BYTES, NumberFormat};
use proptest::prelude::*;

fn lengths(code: &str) -> usize {
    let format = NumberFormat::parse(code);
    [0.0, -0.4, 12.5, -1234.567e300, f64::MAX, f64::MIN_POSITIVE, 45000.7]
        .into_iter()
        .map(|number| format.format(Value::Number(number), DateSystem::Date1900).len())
        .fold(0, usize::max)
}

#[test]
fn hostile_codes_are_bounded() {
    let started = std::time::Instant::now();
    for unit in [
        "0", "0.", "?", "#,", "[h]", "[hhhh]", "y", "mmmm ", "0E+", "?/", "@", "General", "ss.000", "%",
        ",0", "dddd",
    ] {
        for length in [MAX_CODE_BYTES, 1_000_000] {
            assert!(lengths(&unit.repeat(length / unit.len())) <= 2 * MAX_TEXT_BYTES, "{unit}");
        }
    }
    assert!(!NumberFormat::parse(&"0".repeat(1_000_000)).is_valid());
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn repeated_text_is_bounded() {
    let text = "x".repeat(32_767);
    let format = NumberFormat::parse(&"@".repeat(MAX_CODE_BYTES));
    let shown = format.format(Value::Text(&text), DateSystem::Date1900);
    assert!(shown.len() >= text.len());
    assert!(shown.len() <= text.len() + MAX_TEXT_BYTES);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics_on_any_code(code in any::<String>(), number in any::<f64>(), text in any::<String>()) {
        let format = NumberFormat::parse(&code);
        format.format(Value::Number(number), DateSystem::Date1900);
        format.format(Value::Text(&text), DateSystem::Date1904);
        format.color(Value::Number(number));
    }

    #[test]
    fn never_panics_on_plausible_codes(
        code in "([0#?.,%/@ydmhsegb;E+\\-:\\\\_*\" 1-9]|General|AM/PM|A/P|\\[h\\]|\\[ss\\]|\\[Red\\]|\\[>1\\]|\\[\\$€-407\\]|\\.00|年){0,24}",
        number in prop_oneof![any::<f64>(), -1e6..1e6, 0.0..3e6],
    ) {
        let format = NumberFormat::parse(&code);
        for dates in [DateSystem::Date1900, DateSystem::Date1904] {
            let shown = format.format(Value::Number(number), dates);
            prop_assert!(shown.len() <= MAX_TEXT_BYTES);
        }
    }

    #[test]
    fn fixed_decimals_are_within_half_a_unit(number in -1e6..1e6f64) {
        let shown = NumberFormat::parse("0.000").format(Value::Number(number), DateSystem::Date1900);
        let parsed: f64 = shown.parse().unwrap();
        prop_assert!((parsed - number).abs() <= 0.000_500_000_1, "{} shown as {}", number, shown);
    }
}
