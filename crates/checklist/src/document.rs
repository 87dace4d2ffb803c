//! The Markdown document that boxes are from: `- [ ] **Words**`, one a line, those of a group indented below it.

/// A document with boxes.
#[derive(Debug, Clone)]
pub struct Document {
    text: String,
    boxes: Vec<DocumentBox>,
}

/// A box of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentBox {
    /// Its line, from 1.
    pub line: usize,
    /// In how many boxes it is.
    pub depth: usize,
    /// Its words, without emphasis.
    pub title: String,
}

impl Document {
    /// Finds the boxes of a text.
    pub fn parse(text: String) -> Document {
        let mut boxes = Vec::new();
        // How far the boxes around the next one are indented.
        let mut around: Vec<usize> = Vec::new();
        let mut is_code = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            }
            let indented = line.len() - line.trim_start().len();
            let Some(words) = line.trim_start().strip_prefix("- [ ] ").filter(|_| !is_code) else {
                if indented == 0 && !line.is_empty() {
                    around.clear();
                }
                continue;
            };
            around.retain(|above| *above < indented);
            boxes.push(DocumentBox { line: at + 1, depth: around.len(), title: plain(words) });
            around.push(indented);
        }
        Document { text, boxes }
    }

    /// Its boxes, in order.
    pub fn boxes(&self) -> &[DocumentBox] {
        &self.boxes
    }

    /// Its lines, each with the position of its box among [`boxes`](Document::boxes), if it has one.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        let mut next = 0;
        self.text.lines().enumerate().map(move |(at, line)| {
            let is_box = self.boxes.get(next).is_some_and(|found| found.line == at + 1);
            next += usize::from(is_box);
            (line, is_box.then(|| next - 1))
        })
    }
}

/// Words without the stars of emphasis.
fn plain(words: &str) -> String {
    words.replace("**", "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_found_with_their_depth() {
        let text = "# A\n- [ ] **One**\n  - [ ] two `x`\n- [ ] three\n\n```\n- [ ] code\n```\n1. **Four**\n   - [ ] five\n";
        let document = Document::parse(text.to_owned());
        let told: Vec<(usize, usize, &str)> =
            document.boxes().iter().map(|found| (found.line, found.depth, found.title.as_str())).collect();
        assert_eq!(told, [(2, 0, "One"), (3, 1, "two `x`"), (4, 0, "three"), (10, 0, "five")]);
        let boxes: Vec<Option<usize>> = document.lines().map(|(_, found)| found).collect();
        assert_eq!(boxes.iter().flatten().count(), 4);
        assert_eq!((boxes[1], boxes[9]), (Some(0), Some(3)));
    }
}
