//! ISO 8601 texts as serial numbers.

use grid::DateSystem;

/// `2026-01-31`, `2026-01-31T08:30`, `2026-01-31 08:30:00.250` as a serial number.
pub fn date_serial(text: &str, dates: DateSystem) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(text.get(..4)?)?, digits(text.get(5..7)?)?, digits(text.get(8..10)?)?);
    let date = dates.from_date(year as i32, month as u8, day as u8)?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some(date);
    }
    let time = rest.strip_prefix('T').or_else(|| rest.strip_prefix(' '))?;
    Some(date + time_of_day(time.strip_suffix('Z').unwrap_or(time))?)
}

/// `08:30` or `08:30:00.250` as a fraction of a day.
fn time_of_day(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next().map_or(Some(0.0), |part| {
        let is_plain = part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        is_plain.then(|| part.parse::<f64>().ok()).flatten()
    })?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second >= 60.0 {
        return None;
    }
    Some((f64::from(hour * 3600 + minute * 60) + second) / 86_400.0)
}

/// `PT12H30M15.5S` or `P1DT2H` as days.
pub fn duration_days(text: &str) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut days = 0.0;
    let mut number = String::new();
    for c in rest.strip_prefix('P')?.chars() {
        let unit = match c {
            'T' => continue,
            '0'..='9' | '.' => {
                number.push(c);
                continue;
            }
            'D' => 1.0,
            'H' => 1.0 / 24.0,
            'M' => 1.0 / 1440.0,
            'S' => 1.0 / 86_400.0,
            _ => return None,
        };
        days += number.parse::<f64>().ok()? * unit;
        number.clear();
    }
    number.is_empty().then_some(sign * days)
}

fn digits(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let serial = |text| date_serial(text, DateSystem::Date1900);
        assert_eq!(serial("2026-01-31"), Some(46053.0));
        assert_eq!(serial("2026-01-31T12:00"), Some(46053.5));
        assert_eq!(serial("2026-01-31 06:00:00.000Z"), Some(46053.25));
        for text in ["2026-1-31", "2026-02-30", "2026-01-31x", "2026-01-31T25:00", "20260131", "1899-12-30"] {
            assert_eq!(serial(text), None, "{text}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration_days("PT12H"), Some(0.5));
        assert_eq!(duration_days("-P1DT6H"), Some(-1.25));
        assert_eq!(duration_days("PT36H00M00S"), Some(1.5));
        assert_eq!(duration_days("12H"), None);
        assert_eq!(duration_days("PT5"), None);
    }
}
