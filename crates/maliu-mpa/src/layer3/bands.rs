//! Scale factor bands of layer III and the places of their lines (ISO/IEC 11172-3 table B.8, 13818-3 table B.2).

use std::sync::LazyLock;

/// How the lines of a granule stand in the bits, and where each belongs.
pub(crate) struct Layout {
    /// First line of each band, and the end of the last. Bands of short blocks count one for each window.
    pub(crate) edges: Vec<usize>,
    /// Bands of long blocks at the start.
    pub(crate) long: usize,
    /// Place of each pair of lines in rows of 32 subbands.
    pub(crate) places: Box<[[u16; 2]; 288]>,
    /// Subbands that hold all lines of the first n pairs.
    pub(crate) widths: Box<[u8; 289]>,
}

/// Bands of short blocks.
const SHORT_BANDS: usize = 13;

/// The layouts of a sampling rate.
pub(crate) struct Layouts {
    pub(crate) long: Layout,
    pub(crate) short: Layout,
    pub(crate) mixed: Layout,
    /// Subbands of mixed blocks that have long blocks.
    pub(crate) mixed_long: usize,
    /// Pairs of lines in the first region of short blocks, and of start and stop blocks.
    pub(crate) fixed_short: usize,
    pub(crate) fixed_long: usize,
}

/// The layouts of each sampling rate, made at their first use.
pub(crate) static LAYOUTS: LazyLock<[Layouts; 9]> = LazyLock::new(|| std::array::from_fn(Layouts::new));

impl Layouts {
    fn new(rate: usize) -> Layouts {
        let (long, short) = (LONG[rate], SHORT[rate]);
        let long_edges = || long.iter().map(|edge| usize::from(*edge));
        // Mixed blocks have 8 long bands, 6 at low sampling rates, and the short ones from the fourth on.
        let mixed = if rate < 3 { 8 } else { 6 };
        let mixed_edges = long_edges().take(mixed).chain(short_edges(short).skip(3 * 3));
        let mixed_lines = usize::from(long[mixed]);
        Layouts {
            long: Layout::new(long_edges().collect(), 22, short),
            short: Layout::new(short_edges(short).collect(), 0, short),
            mixed: Layout::new(mixed_edges.collect(), mixed, short),
            mixed_long: mixed_lines / 18,
            fixed_short: usize::from(short[3]) * 3 / 2,
            fixed_long: usize::from(long[8]) / 2,
        }
    }
}

/// First lines of the bands of short blocks, one for each window.
fn short_edges(short: &[u16; SHORT_BANDS + 1]) -> impl Iterator<Item = usize> {
    let band = |i: usize| (usize::from(short[i]), usize::from(short[i + 1] - short[i]));
    let edges = (0..SHORT_BANDS).flat_map(move |i| (0..3).map(move |window| 3 * band(i).0 + window * band(i).1));
    edges.chain([576])
}

impl Layout {
    fn new(edges: Vec<usize>, long: usize, short: &[u16; SHORT_BANDS + 1]) -> Layout {
        let mut lines: Vec<usize> = (0..576).collect();
        let first = edges[long];
        for band in short.windows(2).filter(|band| 3 * usize::from(band[0]) >= first) {
            let (start, width) = (usize::from(band[0]), usize::from(band[1] - band[0]));
            for (window, i) in (0..3).flat_map(|window| (0..width).map(move |i| (window, i))) {
                // Windows take turns, so that each subband holds the same lines of all three.
                lines[3 * start + window * width + i] = 3 * (start + i) + window;
            }
        }
        let mut widths = Box::new([0; 289]);
        let mut width = 0;
        for (pair, lines) in lines.chunks(2).enumerate() {
            width = lines.iter().map(|line| line / 18 + 1).fold(width, usize::max);
            widths[pair + 1] = width as u8;
        }
        let place = |line: usize| (line % 18 * 32 + line / 18) as u16;
        let places = Box::new(std::array::from_fn(|pair| [place(lines[2 * pair]), place(lines[2 * pair + 1])]));
        Layout { edges, long, places, widths }
    }

    /// Number of bands.
    pub(crate) fn bands(&self) -> usize {
        self.edges.len() - 1
    }
}

/// First lines of the bands of long blocks, and the end, by sampling rate: 44.1, 48, 32 kHz, their halves, their quarters.
const LONG: [&[u16; 23]; 9] = [
    &[0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 52, 62, 74, 90, 110, 134, 162, 196, 238, 288, 342, 418, 576],
    &[0, 4, 8, 12, 16, 20, 24, 30, 36, 42, 50, 60, 72, 88, 106, 128, 156, 190, 230, 276, 330, 384, 576],
    &[0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550, 576],
    LOW,
    &[0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 114, 136, 162, 194, 232, 278, 332, 394, 464, 540, 576],
    LOW,
    LOW,
    LOW,
    &[0, 12, 24, 36, 48, 60, 72, 88, 108, 132, 160, 192, 232, 280, 336, 400, 476, 566, 568, 570, 572, 574, 576],
];

const LOW: &[u16; 23] =
    &[0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522, 576];

/// As [`LONG`], for one window of short blocks.
const SHORT: [&[u16; SHORT_BANDS + 1]; 9] = [
    &[0, 4, 8, 12, 16, 22, 30, 40, 52, 66, 84, 106, 136, 192],
    &[0, 4, 8, 12, 16, 22, 28, 38, 50, 64, 80, 100, 126, 192],
    &[0, 4, 8, 12, 16, 22, 30, 42, 58, 78, 104, 138, 180, 192],
    &[0, 4, 8, 12, 18, 24, 32, 42, 56, 74, 100, 132, 174, 192],
    &[0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 136, 180, 192],
    LOW_SHORT,
    LOW_SHORT,
    LOW_SHORT,
    &[0, 8, 16, 24, 36, 52, 72, 96, 124, 160, 162, 164, 166, 192],
];

const LOW_SHORT: &[u16; SHORT_BANDS + 1] = &[0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174, 192];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_hold_each_line_once() {
        for layouts in LAYOUTS.iter() {
            for (layout, bands) in [(&layouts.long, 22), (&layouts.short, 39)] {
                assert_eq!(layout.bands(), bands);
            }
            assert!([30 + 8, 30 + 6].contains(&layouts.mixed.bands()));
            for layout in [&layouts.long, &layouts.short, &layouts.mixed] {
                assert!(layout.edges.windows(2).all(|edges| edges[0] < edges[1] && edges[0].is_multiple_of(2)));
                let mut places: Vec<_> = layout.places.as_flattened().to_vec();
                places.sort_unstable();
                assert!(places.iter().enumerate().all(|(i, place)| i == usize::from(*place)));
                assert_eq!((layout.widths[0], layout.widths[1], layout.widths[288]), (0, 1, 32));
            }
            assert!([2, 4].contains(&layouts.mixed_long));
        }
    }
}
