//! The markup that sheets and shared strings are written in, read from bytes without an XML reader.
//!
//! Answers are those of an XML reader for what is well formed; what is not never panics.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// Behind a comment or processing instruction at the start, if there is one.
pub(crate) fn skip_markup(rest: &[u8]) -> Option<&[u8]> {
    let end: &[u8] = if rest.starts_with(b"<!--") {
        b"-->"
    } else if rest.starts_with(b"<?") {
        b"?>"
    } else {
        return None;
    };
    let found = memmem::find(rest, end).map_or(rest.len(), |found| found + end.len());
    Some(&rest[found..])
}

/// The content up to `</name>`, and what follows.
pub(crate) fn split_at_end<'a>(content: &'a [u8], name: &[u8]) -> (&'a [u8], &'a [u8]) {
    match find_end(content, name, 0) {
        Ok((close, after)) => (&content[..close], &content[after..]),
        Err(_) => (content, &[]),
    }
}

/// Where the end tag `</name>` starts and where it ends, comments and CDATA passed over; looked for behind `from`.
/// Without one, where to look on once there is more content.
pub(crate) fn find_end(content: &[u8], name: &[u8], mut from: usize) -> Result<(usize, usize), usize> {
    while let Some(found) = memchr(b'<', &content[from..]) {
        let open = from + found;
        let tag = &content[open..];
        if let Some(end_tag) = tag.strip_prefix(b"</") {
            match end_tag.strip_prefix(name) {
                Some(after) if matches!(after.first(), Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')) => {
                    let end = memchr(b'>', after).ok_or(open)?;
                    return Ok((open, content.len() - after.len() + end + 1));
                }
                Some([]) => return Err(open),
                None if name.starts_with(end_tag) => return Err(open),
                _ => {}
            }
        }
        let mark: Option<&[u8]> = if tag.starts_with(b"<!--") {
            Some(b"-->")
        } else if tag.starts_with(b"<![CDATA[") {
            Some(b"]]>")
        } else if tag.starts_with(b"<?") {
            Some(b"?>")
        } else {
            None
        };
        from = match mark {
            Some(mark) => open + memmem::find(tag, mark).ok_or(open)? + mark.len(),
            None if b"<!--".starts_with(tag) || b"<![CDATA[".starts_with(tag) => return Err(open),
            None => open + 1,
        };
    }
    Err(content.len())
}

/// The text of an `is` or `si` element: its `t` elements, phonetic runs left out. `None` for an unknown entity.
pub(crate) fn string_item(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut rest = content;
    while let Some(open) = memchr(b'<', rest) {
        rest = &rest[open..];
        if let Some(after) = skip_markup(rest) {
            rest = after;
            continue;
        }
        let Some(end) = memchr(b'>', rest) else { break };
        let (tag, content) = (&rest[1..end], &rest[end + 1..]);
        let name = tag.split(|b| matches!(b, b' ' | b'/' | b'\t' | b'\r' | b'\n')).next().unwrap_or_default();
        rest = content;
        if tag.ends_with(b"/") {
            continue;
        }
        match name {
            b"t" => {
                let (inner, after) = split_at_end(content, name);
                let run = element_text(inner)?;
                let preserves_space = memmem::find(tag, b"preserve").is_some();
                text.push_str(if preserves_space { &run } else { trim_xml_space(&run) });
                rest = after;
            }
            b"rPh" => rest = split_at_end(content, name).1,
            _ => {}
        }
    }
    Some(text)
}

/// Without the white space of XML at both ends; other spaces (U+00A0) stay.
///
/// Excel drops the white space around a run that does not say `xml:space="preserve"`.
pub(crate) fn trim_xml_space(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Text content: entities resolved, CDATA unwrapped, comments dropped. `None` for an unknown entity.
pub(crate) fn element_text(content: &[u8]) -> Option<Cow<'_, str>> {
    let text = String::from_utf8_lossy(content);
    if memchr::memchr3(b'&', b'<', b'\r', content).is_none() {
        return Some(text);
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(at) = rest.find(['&', '<', '\r']) {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('\r') {
            // XML 1.0 §2.11: line ends are one line feed.
            resolved.push('\n');
            rest = after.strip_prefix('\n').unwrap_or(after);
        } else if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
            let (inside, after) = cdata.split_once("]]>").unwrap_or((cdata, ""));
            resolved.push_str(inside);
            rest = after;
        } else if rest.starts_with('<') {
            let end = if rest.starts_with("<!--") { "-->" } else { ">" };
            rest = rest.split_once(end).map_or("", |(_, after)| after);
        } else {
            let (name, after) = rest[1..].split_once(';').unwrap_or((&rest[1..], ""));
            resolved.push(entity(name)?);
            rest = after;
        }
    }
    resolved.push_str(rest);
    Some(Cow::Owned(resolved))
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

pub(crate) fn integer(value: &[u8]) -> Option<u32> {
    if value.is_empty() || value.len() > 10 {
        return None;
    }
    let number = value
        .iter()
        .try_fold(0u64, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))?;
    u32::try_from(number).ok()
}

pub(crate) fn is_true(value: &[u8]) -> bool {
    matches!(value, b"1" | b"true" | b"on")
}

/// The attributes of a tag: names and values as they stand, without entities resolved.
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/'))?;
        let rest = &self.0[start..];
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        let name = rest[..equals].trim_ascii_end();
        let mut value = &rest[equals + 1..];
        if !matches!(value.first(), Some(b'"' | b'\'')) {
            value = value.trim_ascii_start();
        }
        let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let end = value[1..].iter().position(|byte| *byte == quote)?;
        self.0 = &value[end + 2..];
        Some((name, &value[1..=end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_elements() {
        let check = |content: &str, expected| {
            assert_eq!(find_end(content.as_bytes(), b"c", 0), expected, "{content}");
        };
        check("a</c>b", Ok((1, 5)));
        check("<b/></c \n>", Ok((4, 10)));
        check("<!--</c>--></c>", Ok((11, 15)));
        check("<![CDATA[</c>]]></cx></c>", Ok((21, 25)));
        for (cut, resume) in
            [("ab", 2), ("ab<", 2), ("ab</", 2), ("ab</c", 2), ("a<b/><![CD", 5), ("<b/><!-- </c>", 4)]
        {
            check(cut, Err(resume));
        }
    }

    #[test]
    fn entities() {
        let check =
            |content: &str, expected| assert_eq!(element_text(content.as_bytes()).as_deref(), expected);
        check("a&lt;&#x41;&#66;<!-- c --><![CDATA[&amp;]]>\r\nd", Some("a<AB&amp;\nd"));
        check("&unknown;", None);
    }

    #[test]
    fn runs() {
        let item = b"<r><rPr><t/></rPr><t> a</t></r><rPh><t>x</t></rPh><t xml:space=\"preserve\"> b </t>";
        assert_eq!(string_item(item).as_deref(), Some("a b "));
    }
}
