//! A page as pixels: cropped to what is drawn on it, and written as PNG.

use std::io;

const WHITE: u8 = 255;
/// Pixels of white that are kept around what is drawn.
const EDGE: usize = 2;

/// A page of three bytes a pixel.
struct Page<'a> {
    width: usize,
    height: usize,
    pixels: &'a [u8],
}

/// The PNG of a page in the portable pixmap format (`P6`, netpbm's ppm(5)), as `pdftoppm` writes it.
pub(crate) fn png_of_page(pixmap: &[u8]) -> io::Result<Vec<u8>> {
    let page = parse(pixmap).ok_or_else(|| io::Error::other("it is no pixmap"))?;
    let (left, top, right, bottom) = page.drawn().unwrap_or((0, 0, page.width, page.height));
    let rows = (top..bottom).flat_map(|row| page.row(row, left, right)).copied();
    let pixels: Vec<u8> = rows.collect();

    let mut png = Vec::new();
    let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let mut encoder = png::Encoder::new(&mut png, side(right - left)?, side(bottom - top)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(png)
}

impl Page<'_> {
    fn row(&self, row: usize, left: usize, right: usize) -> &[u8] {
        let start = row * self.width * 3;
        &self.pixels[start + left * 3..start + right * 3]
    }

    /// The rectangle around all that is not white, with an edge: left, top, right and bottom, the last two excluded.
    fn drawn(&self) -> Option<(usize, usize, usize, usize)> {
        let is_drawn = |row: &usize| self.row(*row, 0, self.width).iter().any(|byte| *byte != WHITE);
        let top = (0..self.height).find(is_drawn)?;
        let bottom = (top..self.height).rfind(is_drawn)? + 1;
        let (mut left, mut right) = (self.width, 0);
        for row in top..bottom {
            let bytes = self.row(row, 0, self.width);
            let Some(first) = bytes.iter().position(|byte| *byte != WHITE) else { continue };
            let last = bytes.iter().rposition(|byte| *byte != WHITE).unwrap_or(first);
            (left, right) = (left.min(first / 3), right.max(last / 3 + 1));
        }
        Some((
            left.saturating_sub(EDGE),
            top.saturating_sub(EDGE),
            (right + EDGE).min(self.width),
            (bottom + EDGE).min(self.height),
        ))
    }
}

fn parse(pixmap: &[u8]) -> Option<Page<'_>> {
    let mut rest = pixmap.strip_prefix(b"P6")?;
    let mut numbers = [0_usize; 3];
    for number in &mut numbers {
        let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let end = start + rest[start..].iter().position(u8::is_ascii_whitespace)?;
        *number = std::str::from_utf8(&rest[start..end]).ok()?.parse().ok()?;
        rest = &rest[end..];
    }
    let [width, height, brightest] = numbers;
    let pixels = &rest[1..];
    let is_whole = width > 0 && height > 0 && Some(pixels.len()) == width.checked_mul(height)?.checked_mul(3);
    (brightest == 255 && is_whole).then_some(Page { width, height, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of(png: &[u8]) -> (u32, u32) {
        let reader = png::Decoder::new(io::Cursor::new(png)).read_info().unwrap();
        (reader.info().width, reader.info().height)
    }

    fn page(width: usize, height: usize, black: &[(usize, usize)]) -> Vec<u8> {
        let mut pixels = vec![WHITE; width * height * 3];
        for (x, y) in black {
            pixels[(y * width + x) * 3] = 0;
        }
        [format!("P6\n{width} {height}\n255\n").as_bytes(), &pixels].concat()
    }

    #[test]
    fn pages_are_cropped_to_what_is_drawn() {
        assert_eq!(size_of(&png_of_page(&page(100, 50, &[(10, 20), (29, 24)])).unwrap()), (24, 9));
        assert_eq!(size_of(&png_of_page(&page(10, 10, &[(0, 0)])).unwrap()), (3, 3));
        assert_eq!(size_of(&png_of_page(&page(10, 5, &[])).unwrap()), (10, 5));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for wrong in [&b"P5\n1 1\n255\n..."[..], b"P6\n1 1\n255\n..", b"P6\n1 1\n65535\n...", b"P6", b""] {
            assert!(png_of_page(wrong).is_err());
        }
    }
}
