//! The room that an answer has: items go in while they fit, and the rest waits for the next page.

use serde::Serialize;

use crate::call::Call;

/// Bytes for what is around the lists: counts, cursor, names of fields.
const AROUND: usize = 400;
/// One text takes at most this part of an answer, so that any item fits into an answer.
const TEXTS: usize = 8;

/// The bytes of JSON that are left in an answer.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    left: usize,
    longest_text: usize,
}

impl Room {
    /// The room of a whole answer.
    pub(crate) fn of(call: &Call) -> Room {
        Room::new(call.answer_bytes())
    }

    fn new(bytes: usize) -> Room {
        Room { left: bytes.saturating_sub(AROUND), longest_text: bytes / TEXTS }
    }

    /// Takes the room of an item; whether there was enough.
    pub(crate) fn take(&mut self, item: &impl Serialize) -> bool {
        let bytes = bytes_of(item);
        let fits = bytes <= self.left;
        self.left = self.left.saturating_sub(bytes);
        fits
    }

    /// The items that fit, and how many do not. The first one is told whatever its length, so that pages advance.
    pub(crate) fn fill<T: Serialize>(&mut self, items: Vec<T>) -> (Vec<T>, usize) {
        self.fill_up_to(self.left, 1, items)
    }

    /// As [`Room::fill`], for a list that comes along with another one: half of the room, and perhaps no item.
    pub(crate) fn fill_half<T: Serialize>(&mut self, items: Vec<T>) -> (Vec<T>, usize) {
        self.fill_up_to(self.left / 2, 0, items)
    }

    /// Half of the room, for several lists that come along; what they leave is given back.
    pub(crate) fn half(&mut self) -> Room {
        let half = self.left / 2;
        self.left -= half;
        Room { left: half, ..self.clone() }
    }

    /// Takes back what is left of a part.
    pub(crate) fn give_back(&mut self, part: Room) {
        self.left += part.left;
    }

    fn fill_up_to<T: Serialize>(
        &mut self,
        most: usize,
        least_items: usize,
        items: Vec<T>,
    ) -> (Vec<T>, usize) {
        let mut used = 0;
        let mut fitting = 0;
        for item in &items {
            let bytes = bytes_of(item);
            if used + bytes > most && fitting >= least_items {
                break;
            }
            used += bytes;
            fitting += 1;
        }
        self.left = self.left.saturating_sub(used);
        let untold = items.len() - fitting;
        (items.into_iter().take(fitting).collect(), untold)
    }

    /// The text, or as much of it as an answer has room for.
    pub(crate) fn text(&self, text: String) -> String {
        if text.len() <= self.longest_text {
            return text;
        }
        let end = text.floor_char_boundary(self.longest_text);
        format!("{}…", &text[..end])
    }

    /// The texts that fit where one long text would, and how many do not.
    pub(crate) fn texts(&self, texts: Vec<String>) -> (Vec<String>, usize) {
        Room { left: self.longest_text, ..self.clone() }.fill(texts)
    }
}

/// An item in compact JSON, and a comma.
fn bytes_of(item: &impl Serialize) -> usize {
    serde_json::to_string(item).map_or(0, |text| text.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_share_the_room_and_pages_advance() {
        let mut room = Room::new(AROUND + 20);
        // Each item takes four bytes and a comma.
        assert_eq!(room.fill_half(vec!["aa"; 5]), (vec!["aa"; 2], 3));
        assert_eq!(room.fill(vec!["bb"; 2]), (vec!["bb"; 2], 0));
        assert_eq!(room.fill_half(vec!["cc"]), (vec![], 1));
        assert_eq!(room.fill(vec!["dd"; 2]), (vec!["dd"], 1));
    }

    #[test]
    fn a_part_gives_back_what_it_leaves() {
        let mut room = Room::new(AROUND + 20);
        let mut part = room.half();
        assert_eq!(part.fill_half(vec![1, 2, 3]), (vec![1, 2], 1));
        room.give_back(part);
        assert_eq!(room.left, 16);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let room = Room::new(5 * TEXTS);
        assert_eq!(room.text("=A1+1".to_owned()), "=A1+1");
        assert_eq!(room.text("=€€".to_owned()), "=€…");
        assert_eq!(room.texts(vec!["A1".to_owned(), "A2".to_owned()]), (vec!["A1".to_owned()], 1));
    }
}
