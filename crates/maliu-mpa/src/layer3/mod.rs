//! Layer III: main data to the lines of its granules (ISO/IEC 11172-3 §2.4.1.7, §2.4.3.4).
//!
//! ```text
//! main data ─▶ scale factors, Huffman codes ─▶ lines, dequantised ─▶ stereo ─▶ alias reduction ─▶ rows
//! ```
//!
//! Lines are put where the filter bank needs them as they are read: line k of subband s is in row k, column s. Windows
//! of short blocks take turns (reordering), so that rows 3i, 3i + 1, 3i + 2 are line i of the three.

mod alias;
mod bands;
mod huffman;
mod lines;
mod scale_factors;
mod stereo;

use crate::side_info::SideInfo;

use self::alias::Butterflies;
use self::bands::{LAYOUTS, Layout, Layouts};
use self::lines::{Extent, Source};
use self::scale_factors::{Gains, ScaleFactors};
use self::stereo::{Intensity, Pair, Right};
use crate::Error;
use crate::bits::Bits;
use crate::header::{Header, SLOTS};
use crate::parsed::{Block, FILLER, Parsed, Rows, Spectrum};
use crate::side_info::Granule;

/// Tables that are computed once for all decoders.
struct Tables {
    lines: lines::Tables,
    gains: Gains,
    butterflies: Butterflies,
}

static TABLES: std::sync::LazyLock<Tables> = std::sync::LazyLock::new(|| Tables {
    lines: lines::Tables::new(),
    gains: Gains::new(),
    butterflies: Butterflies::new(),
});

/// Decodes the main data of a frame.
pub(crate) fn decode(header: &Header, unit: &mut Parsed) -> Result<(), Error> {
    let Parsed { side, data, spectrum, .. } = unit;
    let frame = Frame { header, side, data, layouts: &LAYOUTS[header.rate()] };
    unit.exact = frame.decode(spectrum)?;
    Ok(())
}

struct Frame<'a> {
    header: &'a Header,
    side: &'a SideInfo,
    data: &'a [u8],
    layouts: &'a Layouts,
}

impl Frame<'_> {
    /// Returns whether all codes ended where their granules end.
    fn decode(&self, spectrum: &mut Spectrum) -> Result<bool, Error> {
        let channels = self.header.channels();
        let mut bits = Bits::new(self.data);
        let mut factors = [ScaleFactors::NONE, ScaleFactors::NONE];
        let mut exact = true;
        for granule in 0..self.header.granules() {
            let mut pairs = [0; 2];
            for channel in 0..channels {
                let lines = lines(&mut spectrum.rows[channel], granule);
                let extent = self.channel(&mut bits, (granule, channel), &mut factors[channel], lines)?;
                pairs[channel] = extent.pairs;
                exact &= extent.exact;
            }
            self.finish(spectrum, granule, &factors, pairs);
        }
        Ok(exact)
    }

    /// Reads a granule of one channel.
    fn channel(
        &self,
        bits: &mut Bits,
        (granule, channel): (usize, usize),
        factors: &mut ScaleFactors,
        lines: &mut lines::Lines,
    ) -> Result<Extent, Error> {
        let side = &self.side.granules[granule][channel];
        let end = (bits.position() + side.part2_3_length).min(8 * self.data.len().saturating_sub(FILLER));
        let mut own = bits.until(end);
        bits.skip(side.part2_3_length);
        let mut preflag = side.preflag;
        if self.header.is_low() {
            preflag = scale_factors::read_low(&mut own, side, channel == 1 && self.intensity(), factors);
        } else {
            let shared = if granule == 1 { self.side.scfsi[channel] } else { 0 };
            scale_factors::read(&mut own, side, shared, factors);
        }
        let layout = self.layout(side);
        let mut gains = [0.0; 288];
        let less = if self.middle_side() { 2 } else { 0 };
        let level = scale_factors::Level { gains: &TABLES.gains, granule: side, preflag, less };
        level.fill(layout, factors, &mut gains);
        lines.fill(0.0);
        let source = Source { granule: side, layouts: self.layouts, layout, gains: &gains };
        lines::read(&TABLES.lines, &source, &mut own, lines)
    }

    /// Stereo and alias reduction of a granule whose lines were read.
    fn finish(&self, spectrum: &mut Spectrum, granule: usize, factors: &[ScaleFactors; 2], pairs: [usize; 2]) {
        let sides = &self.side.granules[granule];
        let layouts = [0, 1].map(|channel| self.layout(&sides[channel]));
        let mut widths = [0, 1].map(|channel| usize::from(layouts[channel].widths[pairs[channel]]));
        let [left, right] = &mut spectrum.rows;
        let mut pair = Pair { left: lines(left, granule), right: lines(right, granule) };
        if self.intensity() {
            let low = self.header.is_low().then_some(sides[1].scalefac_compress & 1 == 1);
            let intensity = Intensity { low, middle_side: self.middle_side() };
            let right = Right { layout: layouts[1], factors: &factors[1], pairs: pairs[1] };
            intensity.apply(&mut pair, &right);
        } else if self.middle_side() {
            stereo::middle_side(&mut pair);
        }
        if self.intensity() || self.middle_side() {
            widths = [widths[0].max(widths[1]); 2];
        }
        for channel in 0..self.header.channels() {
            let side = &sides[channel];
            let long = if side.mixed_block_flag { self.layouts.mixed_long } else { 0 };
            let reduced = if side.block_type != 2 { 32 } else { long };
            let rows = rows(&mut spectrum.rows[channel], granule);
            // Aliases of the highest subband reach into the next one.
            let width = widths[channel].max((widths[channel] + 1).min(reduced));
            TABLES.butterflies.apply(rows, width.min(reduced));
            spectrum.blocks[channel][granule] = Block { kind: side.block_type, long, width };
        }
    }

    fn layout(&self, granule: &Granule) -> &Layout {
        match (granule.block_type, granule.mixed_block_flag) {
            (2, false) => &self.layouts.short,
            (2, true) => &self.layouts.mixed,
            _ => &self.layouts.long,
        }
    }

    fn intensity(&self) -> bool {
        self.header.is_joint() && self.header.mode_extension & 1 != 0
    }

    fn middle_side(&self) -> bool {
        self.header.is_joint() && self.header.mode_extension & 2 != 0
    }
}

/// The rows of a granule.
fn rows(rows: &mut Rows, granule: usize) -> &mut [[f32; 32]; SLOTS] {
    let (first, second) = rows.split_at_mut(SLOTS);
    let half = if granule == 0 { first } else { second };
    half.first_chunk_mut().expect("half of the rows are as many as a granule has")
}

/// The rows of a granule as one.
fn lines(all: &mut Rows, granule: usize) -> &mut lines::Lines {
    rows(all, granule).as_flattened_mut().first_chunk_mut().expect("18 rows of 32 lines")
}
