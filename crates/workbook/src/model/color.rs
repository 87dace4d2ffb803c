//! Colours as a screen shows them: the theme's, tinted, and those of the indexed palette.

use crate::model::styles::{Color, Styles};

/// The colours that [`Color::Indexed`] means, from 0 on (ECMA-376 Part 1 §18.8.27); 8 to 15 repeat 0 to 7.
const INDEXED: [u32; 64] = [
    0x000000, 0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0xFF00FF, 0x00FFFF, 0x000000, 0xFFFFFF,
    0xFF0000, 0x00FF00, 0x0000FF, 0xFFFF00, 0xFF00FF, 0x00FFFF, 0x800000, 0x008000, 0x000080, 0x808000,
    0x800080, 0x008080, 0xC0C0C0, 0x808080, 0x9999FF, 0x993366, 0xFFFFCC, 0xCCFFFF, 0x660066, 0xFF8080,
    0x0066CC, 0xCCCCFF, 0x000080, 0xFF00FF, 0xFFFF00, 0x00FFFF, 0x800080, 0x800000, 0x008080, 0x0000FF,
    0x00CCFF, 0xCCFFFF, 0xCCFFCC, 0xFFFF99, 0x99CCFF, 0xFF99CC, 0xCC99FF, 0xFFCC99, 0x3366FF, 0x33CCCC,
    0x99CC00, 0xFFCC00, 0xFF9900, 0xFF6600, 0x666699, 0x969696, 0x003366, 0x339966, 0x003300, 0x333300,
    0x993300, 0x993366, 0x333399, 0x333333,
];

impl Styles {
    /// A colour as `0xRRGGBB`; `None` for the system's own, and for one that is not in the theme or the palette.
    pub fn rgb(&self, color: Color) -> Option<u32> {
        match color {
            Color::Rgb(rgb) => Some(rgb & 0xFF_FFFF),
            Color::Theme { index, tint } => {
                self.theme_colors.get(index as usize).map(|rgb| tinted(*rgb, tint))
            }
            Color::Indexed(index) => INDEXED.get(index as usize).copied(),
            Color::Auto => None,
        }
    }
}

/// Lightens (`tint` above 0, up to 1) or darkens a colour (below 0, down to −1): its luminance moves towards white or
/// black, hue and saturation stay (ECMA-376 Part 1 §18.8.19).
pub fn tinted(rgb: u32, tint: f64) -> u32 {
    let channels = [16, 8, 0].map(|shift| f64::from(rgb >> shift & 0xFF) / 255.0);
    let (low, high) = channels.iter().fold((1.0f64, 0.0f64), |(low, high), c| (low.min(*c), high.max(*c)));
    let luminance = f64::midpoint(low, high);
    let tint = if tint.is_finite() { tint.clamp(-1.0, 1.0) } else { 0.0 };
    let moved = if tint < 0.0 { luminance * (1.0 + tint) } else { luminance + (1.0 - luminance) * tint };
    // At a fixed saturation the distance from the luminance is in proportion to the room for it.
    let room = |luminance: f64| 1.0 - (2.0 * luminance - 1.0).abs();
    let ratio = if room(luminance) > 0.0 { room(moved) / room(luminance) } else { 0.0 };
    channels.iter().fold(0, |rgb, channel| {
        let value = moved + (channel - luminance) * ratio;
        rgb << 8 | (value.clamp(0.0, 1.0) * 255.0).round() as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rgb: u32, tint: f64, expected: u32) {
        assert_eq!(format!("{:06X}", tinted(rgb, tint)), format!("{expected:06X}"));
    }

    #[test]
    fn tints_as_excel_shows_them() {
        check(0xFFFFFF, -0.5, 0x808080);
        check(0x000000, 0.5, 0x808080);
        check(0x4472C4, 0.0, 0x4472C4);
        check(0x4472C4, 0.8, 0xDAE3F3);
        check(0x44546A, 0.6, 0xADB9CA);
        check(0x4472C4, f64::NAN, 0x4472C4);
        check(0x4472C4, 7.0, 0xFFFFFF);
    }

    #[test]
    fn colours_resolve() {
        let styles = Styles { theme_colors: vec![0xFF_FFFF, 0], ..Styles::default() };
        assert_eq!(styles.rgb(Color::Rgb(0xFF12_3456)), Some(0x12_3456));
        assert_eq!(styles.rgb(Color::Theme { index: 0, tint: -0.5 }), Some(0x80_8080));
        assert_eq!(styles.rgb(Color::Theme { index: 9, tint: 0.0 }), None);
        assert_eq!(styles.rgb(Color::Indexed(10)), Some(0xFF_0000));
        assert_eq!(styles.rgb(Color::Indexed(64)), None);
        assert_eq!(styles.rgb(Color::Auto), None);
    }
}
