//! Scale factor bands: where each begins, by window length and sampling frequency (ISO/IEC 14496-3 §4.5.4, tables 4.129 to 4.148).

/// The bands of one window length at one sampling frequency.
pub(crate) struct Bands {
    /// First line of each band, then the window's length for all further indices.
    pub(crate) offsets: [u16; 64],
    /// Bands.
    pub(crate) count: u8,
    /// Bands that temporal noise shaping can reach.
    pub(crate) tns: u8,
    /// Bands that Main prediction can reach.
    pub(crate) predicted: u8,
}

impl Bands {
    /// The bands of windows of `length` lines (1024, 960, 512, 480, 128 or 120) for a sampling frequency index.
    pub(crate) fn of(length: u16, rate_index: usize) -> &'static Bands {
        let table = match length {
            960 => &BANDS_960,
            512 => &BANDS_512,
            480 => &BANDS_480,
            128 => &BANDS_128,
            120 => &BANDS_120,
            _ => &BANDS_1024,
        };
        &table[rate_index.min(11)]
    }

    /// The lines of a band.
    #[inline]
    pub(crate) fn range(&self, band: usize) -> core::ops::Range<usize> {
        usize::from(self.offsets[band & 63])..usize::from(self.offsets[(band + 1) & 63])
    }
}

const fn bands(offsets: &[u16], tns: u8, predicted: u8) -> Bands {
    let mut padded = [offsets[offsets.len() - 1]; 64];
    let mut i = 0;
    while i < offsets.len() {
        padded[i] = offsets[i];
        i += 1;
    }
    Bands { offsets: padded, count: offsets.len() as u8 - 1, tns, predicted }
}

/// Windows of 1024 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_1024: [Bands; 12] = [
    bands(&OFFSETS_1024_96, 31, 33),
    bands(&OFFSETS_1024_96, 31, 33),
    bands(&OFFSETS_1024_64, 34, 38),
    bands(&OFFSETS_1024_48, 40, 40),
    bands(&OFFSETS_1024_48, 42, 40),
    bands(&OFFSETS_1024_32, 51, 40),
    bands(&OFFSETS_1024_24, 46, 41),
    bands(&OFFSETS_1024_24, 46, 41),
    bands(&OFFSETS_1024_16, 42, 37),
    bands(&OFFSETS_1024_16, 42, 37),
    bands(&OFFSETS_1024_16, 42, 37),
    bands(&OFFSETS_1024_8, 39, 34),
];

/// Windows of 960 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_960: [Bands; 12] = [
    bands(&OFFSETS_960_96, 31, 33),
    bands(&OFFSETS_960_96, 31, 33),
    bands(&OFFSETS_960_64, 34, 38),
    bands(&OFFSETS_960_48, 40, 40),
    bands(&OFFSETS_960_48, 42, 40),
    bands(&OFFSETS_960_32, 51, 40),
    bands(&OFFSETS_960_24, 46, 41),
    bands(&OFFSETS_960_24, 46, 41),
    bands(&OFFSETS_960_16, 42, 37),
    bands(&OFFSETS_960_16, 42, 37),
    bands(&OFFSETS_960_16, 42, 37),
    bands(&OFFSETS_960_8, 39, 34),
];

/// Windows of 512 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_512: [Bands; 12] = [
    bands(&OFFSETS_512_48, 31, 0),
    bands(&OFFSETS_512_48, 31, 0),
    bands(&OFFSETS_512_48, 31, 0),
    bands(&OFFSETS_512_48, 31, 0),
    bands(&OFFSETS_512_48, 32, 0),
    bands(&OFFSETS_512_32, 37, 0),
    bands(&OFFSETS_512_24, 31, 0),
    bands(&OFFSETS_512_24, 31, 0),
    bands(&OFFSETS_512_24, 31, 0),
    bands(&OFFSETS_512_24, 31, 0),
    bands(&OFFSETS_512_24, 31, 0),
    bands(&OFFSETS_512_24, 31, 0),
];

/// Windows of 480 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_480: [Bands; 12] = [
    bands(&OFFSETS_480_48, 31, 0),
    bands(&OFFSETS_480_48, 31, 0),
    bands(&OFFSETS_480_48, 31, 0),
    bands(&OFFSETS_480_48, 31, 0),
    bands(&OFFSETS_480_48, 32, 0),
    bands(&OFFSETS_480_32, 37, 0),
    bands(&OFFSETS_480_24, 30, 0),
    bands(&OFFSETS_480_24, 30, 0),
    bands(&OFFSETS_480_24, 30, 0),
    bands(&OFFSETS_480_24, 30, 0),
    bands(&OFFSETS_480_24, 30, 0),
    bands(&OFFSETS_480_24, 30, 0),
];

/// Windows of 128 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_128: [Bands; 12] = [
    bands(&OFFSETS_128_96, 9, 0),
    bands(&OFFSETS_128_96, 9, 0),
    bands(&OFFSETS_128_96, 10, 0),
    bands(&OFFSETS_128_48, 14, 0),
    bands(&OFFSETS_128_48, 14, 0),
    bands(&OFFSETS_128_48, 14, 0),
    bands(&OFFSETS_128_24, 14, 0),
    bands(&OFFSETS_128_24, 14, 0),
    bands(&OFFSETS_128_16, 14, 0),
    bands(&OFFSETS_128_16, 14, 0),
    bands(&OFFSETS_128_16, 14, 0),
    bands(&OFFSETS_128_8, 14, 0),
];

/// Windows of 120 lines, by sampling frequency index.
#[rustfmt::skip]
static BANDS_120: [Bands; 12] = [
    bands(&OFFSETS_120_96, 9, 0),
    bands(&OFFSETS_120_96, 9, 0),
    bands(&OFFSETS_120_96, 10, 0),
    bands(&OFFSETS_120_48, 14, 0),
    bands(&OFFSETS_120_48, 14, 0),
    bands(&OFFSETS_120_48, 14, 0),
    bands(&OFFSETS_120_24, 14, 0),
    bands(&OFFSETS_120_24, 14, 0),
    bands(&OFFSETS_120_16, 14, 0),
    bands(&OFFSETS_120_16, 14, 0),
    bands(&OFFSETS_120_16, 14, 0),
    bands(&OFFSETS_120_8, 14, 0),
];

#[rustfmt::skip]
const OFFSETS_1024_96: [u16; 42] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 156, 172, 188,
    212, 240, 276, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960, 1024,
];

#[rustfmt::skip]
const OFFSETS_1024_64: [u16; 48] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 100, 112, 124, 140, 156, 172, 192, 216,
    240, 268, 304, 344, 384, 424, 464, 504, 544, 584, 624, 664, 704, 744, 784, 824, 864, 904, 944, 984, 1024,
];

#[rustfmt::skip]
const OFFSETS_1024_48: [u16; 50] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196, 216, 240,
    264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928,
    1024,
];

#[rustfmt::skip]
const OFFSETS_1024_32: [u16; 52] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196, 216, 240,
    264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928, 960,
    992, 1024,
];

#[rustfmt::skip]
const OFFSETS_1024_24: [u16; 48] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52, 60, 68, 76, 84, 92, 100, 108, 116, 124, 136, 148, 160, 172, 188,
    204, 220, 240, 260, 284, 308, 336, 364, 396, 432, 468, 508, 552, 600, 652, 704, 768, 832, 896, 960, 1024,
];

#[rustfmt::skip]
const OFFSETS_1024_16: [u16; 44] = [
    0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 100, 112, 124, 136, 148, 160, 172, 184, 196, 212, 228, 244, 260,
    280, 300, 320, 344, 368, 396, 424, 456, 492, 532, 572, 616, 664, 716, 772, 832, 896, 960, 1024,
];

#[rustfmt::skip]
const OFFSETS_1024_8: [u16; 41] = [
    0, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 172, 188, 204, 220, 236, 252, 268, 288, 308, 328, 348,
    372, 396, 420, 448, 476, 508, 544, 580, 620, 664, 712, 764, 820, 880, 944, 1024,
];

#[rustfmt::skip]
const OFFSETS_960_96: [u16; 41] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 156, 172, 188,
    212, 240, 276, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960,
];

#[rustfmt::skip]
const OFFSETS_960_64: [u16; 47] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 100, 112, 124, 140, 156, 172, 192, 216,
    240, 268, 304, 344, 384, 424, 464, 504, 544, 584, 624, 664, 704, 744, 784, 824, 864, 904, 944, 960,
];

#[rustfmt::skip]
const OFFSETS_960_48: [u16; 50] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196, 216, 240,
    264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928, 960,
];

#[rustfmt::skip]
const OFFSETS_960_32: [u16; 50] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196, 216, 240,
    264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832, 864, 896, 928, 960,
];

#[rustfmt::skip]
const OFFSETS_960_24: [u16; 47] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52, 60, 68, 76, 84, 92, 100, 108, 116, 124, 136, 148, 160, 172, 188,
    204, 220, 240, 260, 284, 308, 336, 364, 396, 432, 468, 508, 552, 600, 652, 704, 768, 832, 896, 960,
];

#[rustfmt::skip]
const OFFSETS_960_16: [u16; 43] = [
    0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 100, 112, 124, 136, 148, 160, 172, 184, 196, 212, 228, 244, 260,
    280, 300, 320, 344, 368, 396, 424, 456, 492, 532, 572, 616, 664, 716, 772, 832, 896, 960,
];

#[rustfmt::skip]
const OFFSETS_960_8: [u16; 41] = [
    0, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 172, 188, 204, 220, 236, 252, 268, 288, 308, 328, 348,
    372, 396, 420, 448, 476, 508, 544, 580, 620, 664, 712, 764, 820, 880, 944, 960,
];

#[rustfmt::skip]
const OFFSETS_512_48: [u16; 37] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 68, 76, 84, 92, 100, 112, 124, 136, 148, 164, 184,
    208, 236, 268, 300, 332, 364, 396, 428, 460, 512,
];

#[rustfmt::skip]
const OFFSETS_512_32: [u16; 38] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 192,
    212, 236, 260, 288, 320, 352, 384, 416, 448, 480, 512,
];

#[rustfmt::skip]
const OFFSETS_512_24: [u16; 32] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52, 60, 68, 80, 92, 104, 120, 140, 164, 192, 224, 256, 288, 320, 352,
    384, 416, 448, 480, 512,
];

#[rustfmt::skip]
const OFFSETS_480_48: [u16; 36] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 156, 172, 188,
    212, 240, 272, 304, 336, 368, 400, 432, 480,
];

#[rustfmt::skip]
const OFFSETS_480_32: [u16; 38] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 88, 96, 104, 112, 124, 136, 148, 164,
    180, 200, 224, 256, 288, 320, 352, 384, 416, 448, 480,
];

#[rustfmt::skip]
const OFFSETS_480_24: [u16; 31] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52, 60, 68, 80, 92, 104, 120, 140, 164, 192, 224, 256, 288, 320, 352,
    384, 416, 448, 480,
];

#[rustfmt::skip]
const OFFSETS_128_96: [u16; 13] = [
    0, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 92, 128,
];

#[rustfmt::skip]
const OFFSETS_128_48: [u16; 15] = [
    0, 4, 8, 12, 16, 20, 28, 36, 44, 56, 68, 80, 96, 112, 128,
];

#[rustfmt::skip]
const OFFSETS_128_24: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 64, 76, 92, 108, 128,
];

#[rustfmt::skip]
const OFFSETS_128_16: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 60, 72, 88, 108, 128,
];

#[rustfmt::skip]
const OFFSETS_128_8: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 60, 72, 88, 108, 128,
];

#[rustfmt::skip]
const OFFSETS_120_96: [u16; 13] = [
    0, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 92, 120,
];

#[rustfmt::skip]
const OFFSETS_120_48: [u16; 15] = [
    0, 4, 8, 12, 16, 20, 28, 36, 44, 56, 68, 80, 96, 112, 120,
];

#[rustfmt::skip]
const OFFSETS_120_24: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 64, 76, 92, 108, 120,
];

#[rustfmt::skip]
const OFFSETS_120_16: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 60, 72, 88, 108, 120,
];

#[rustfmt::skip]
const OFFSETS_120_8: [u16; 16] = [
    0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 60, 72, 88, 108, 120,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_their_window_in_steps_of_four() {
        for length in [1024, 960, 512, 480, 128, 120] {
            for rate in 0..13 {
                let bands = Bands::of(length, rate);
                let offsets = &bands.offsets[..=usize::from(bands.count)];
                assert_eq!((offsets[0], offsets[offsets.len() - 1]), (0, length));
                assert!(offsets.windows(2).all(|w| w[0] < w[1] && (w[1] - w[0]) % 4 == 0), "{length} at {rate}");
                assert!(bands.tns <= 51 && bands.predicted <= bands.count);
            }
        }
    }
}
