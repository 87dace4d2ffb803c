//! Images within a workbook: PNG and JPEG, decoded under a budget and scaled to where they stand.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The most pixels on one side of an image that is decoded.
const MAX_SIDE: u32 = 16_384;
const RGBA: usize = 4;

/// A decoded image.
pub(crate) struct Bitmap {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Four bytes a pixel, not premultiplied.
    rgba: Vec<u8>,
}

impl Bitmap {
    /// The image, or `None` for what is damaged, of more than `max_pixels`, or of another kind.
    pub(crate) fn decode(bytes: &[u8], max_pixels: u64) -> Option<Bitmap> {
        let bitmap = if bytes.starts_with(&[0xFF, 0xD8]) {
            decode_jpeg(bytes, max_pixels)
        } else {
            decode_png(bytes, max_pixels)
        }?;
        debug_assert!(bitmap.rgba.len() == bitmap.width as usize * bitmap.height as usize * RGBA);
        Some(bitmap)
    }

    /// How many pixels it has.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Colour and opacity of a pixel of the image scaled to `width` x `height`: the mean of what it covers.
    pub(crate) fn scaled_pixel(&self, x: u32, y: u32, width: u32, height: u32) -> ([u8; 3], u8) {
        let span = |at: u32, of: u32, source: u32| {
            let edge = |at: u32| (u64::from(at) * u64::from(source) / u64::from(of.max(1))) as u32;
            let first = edge(at).min(source - 1);
            (first, edge(at + 1).clamp(first + 1, source))
        };
        let ((left, right), (top, bottom)) = (span(x, width, self.width), span(y, height, self.height));
        let (mut sums, mut opacity, mut count) = ([0u64; 3], 0u64, 0u64);
        for row in top..bottom {
            let start = (row as usize * self.width as usize + left as usize) * RGBA;
            let pixels = &self.rgba[start..start + (right - left) as usize * RGBA];
            for pixel in pixels.chunks_exact(RGBA) {
                let alpha = u64::from(pixel[3]);
                for (sum, channel) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*channel) * alpha;
                }
                opacity += alpha;
                count += 1;
            }
        }
        (sums.map(|sum| (sum / opacity.max(1)) as u8), (opacity / count.max(1)) as u8)
    }
}

fn is_affordable(width: u32, height: u32, max_pixels: u64) -> bool {
    let sides = 1..=MAX_SIDE;
    sides.contains(&width) && sides.contains(&height) && u64::from(width) * u64::from(height) <= max_pixels
}

fn decode_png(bytes: &[u8], max_pixels: u64) -> Option<Bitmap> {
    let limits = png::Limits { bytes: max_pixels as usize * 8 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    if !is_affordable(width, height, max_pixels) {
        return None;
    }
    let mut data = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut data).ok()?;
    let data = data.get(..info.buffer_size())?;
    let samples = info.color_type.samples();
    let mut rgba = Vec::with_capacity(width as usize * height as usize * RGBA);
    for pixel in data.chunks_exact(samples) {
        rgba.extend(match *pixel {
            [grey] => [grey, grey, grey, 255],
            [grey, alpha] => [grey, grey, grey, alpha],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, alpha] => [r, g, b, alpha],
            _ => return None,
        });
    }
    (rgba.len() == width as usize * height as usize * RGBA).then_some(Bitmap { width, height, rgba })
}

fn decode_jpeg(bytes: &[u8], max_pixels: u64) -> Option<Bitmap> {
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGBA);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    if !is_affordable(width, height, max_pixels) {
        return None;
    }
    let rgba = decoder.decode().ok()?;
    (rgba.len() == width as usize * height as usize * RGBA).then_some(Bitmap { width, height, rgba })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(color: png::ColorType, width: u32, height: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn images_are_scaled_by_the_mean() {
        let bytes = png(
            png::ColorType::Rgba,
            2,
            2,
            &[
                255, 0, 0, 255, 0, 0, 255, 255, //
                255, 0, 0, 255, 0, 0, 255, 255,
            ],
        );
        let bitmap = Bitmap::decode(&bytes, 100).unwrap();
        assert_eq!(bitmap.scaled_pixel(0, 0, 1, 1), ([127, 0, 127], 255));
        assert_eq!(bitmap.scaled_pixel(5, 3, 6, 6), ([0, 0, 255], 255));
        let grey = png(png::ColorType::GrayscaleAlpha, 1, 2, &[9, 0, 9, 255]);
        assert_eq!(Bitmap::decode(&grey, 100).unwrap().scaled_pixel(0, 0, 1, 1), ([9, 9, 9], 127));
    }

    #[test]
    fn what_is_no_image_is_none() {
        for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", &[0xFF, 0xD8, 0xFF, 0xE0], b"GIF89a"] {
            assert!(Bitmap::decode(bytes, 100).is_none());
        }
        let mut bytes = png(png::ColorType::Grayscale, 1, 1, &[0]);
        assert!(Bitmap::decode(&bytes, 0).is_none());
        // A header that claims 60,000 x 60,000 pixels.
        bytes[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        assert!(Bitmap::decode(&bytes, 100).is_none());
    }
}
