//! Layers I and II: bit allocation, scale factors, samples of the subbands (ISO/IEC 11172-3 §2.4.1.5, §2.4.1.6).

mod allocation;

use self::allocation::{Class, table};
use crate::bits::Bits;
use crate::header::Header;
use crate::parsed::{Parsed, Row, Rows};
use crate::{Error, crc};

/// Subbands.
const BANDS: usize = 32;

/// One value for each subband of each channel.
type PerBand<T> = [[T; 2]; BANDS];

/// Decodes a frame of layer I or II.
pub(crate) fn decode(header: &Header, unit: &mut Parsed) -> Result<(), Error> {
    let Parsed { data, spectrum, .. } = unit;
    let mut frame = Frame::new(header, data);
    if header.layer == 1 {
        frame.layer_1(&mut spectrum.rows)?
    } else {
        frame.layer_2(&mut spectrum.rows)?
    }
    // Encoders may leave out slots at the end that hold nothing but padding.
    if frame.bits.position() > 8 * data.len() + MOST_MISSING {
        return Err(Error::Malformed { what: "samples longer than their frame", bit: 8 * data.len() });
    }
    Ok(())
}

/// Bits that may be missing at the end of a frame.
const MOST_MISSING: usize = 32;

struct Frame<'a> {
    header: &'a Header,
    data: &'a [u8],
    bits: Bits<'a>,
    channels: usize,
    /// Subbands from here on have the samples of both channels in one.
    bound: usize,
}

impl<'a> Frame<'a> {
    fn new(header: &'a Header, data: &'a [u8]) -> Self {
        let mut bits = Bits::new(data);
        bits.skip(8 * header.body());
        let joint = if header.is_joint() { 4 * (usize::from(header.mode_extension) + 1) } else { BANDS };
        Self { header, data, bits, channels: header.channels(), bound: joint }
    }

    /// The checksum of the bits so far.
    fn check(&self) -> Result<(), Error> {
        let bits = self.bits.position() - 8 * self.header.body();
        if crc::is_right(self.header, self.data, bits) { Ok(()) } else { Err(Error::Checksum) }
    }

    /// Reads one value for each channel of a subband, which joint subbands share.
    fn each<T: Copy>(&mut self, band: usize, mut read: impl FnMut(&mut Bits, usize) -> T) -> [T; 2] {
        let left = read(&mut self.bits, 0);
        let own = self.channels == 2 && band < self.bound;
        [left, if own { read(&mut self.bits, 1) } else { left }]
    }

    fn layer_1(&mut self, rows: &mut [Rows; 2]) -> Result<(), Error> {
        let mut allocation: PerBand<u32> = [[0; 2]; BANDS];
        for (band, allocation) in allocation.iter_mut().enumerate() {
            *allocation = self.each(band, |bits, _| bits.read(4));
        }
        self.check()?;
        if allocation.as_flattened().contains(&15) {
            return Err(Error::Malformed { what: "reserved bit allocation", bit: self.bits.position() });
        }
        let mut factors: PerBand<f32> = [[0.0; 2]; BANDS];
        for (factors, allocation) in factors.iter_mut().zip(&allocation) {
            for (factor, _) in factors.iter_mut().zip(allocation).take(self.channels).filter(|(_, bits)| **bits > 0) {
                *factor = scale(self.bits.read(6));
            }
        }
        let [left, right] = rows;
        for (left, right) in left.iter_mut().zip(right).take(12) {
            for band in 0..BANDS {
                let samples = self.each(band, |bits, channel| {
                    let length = allocation[band][channel];
                    if length == 0 { 0.0 } else { dequantised(bits.read(length + 1), (1 << (length + 1)) - 1) }
                });
                // The second channel of mono is the first again, and not heard.
                left[band] = samples[0] * factors[band][0];
                right[band] = samples[1] * factors[band][1];
            }
        }
        Ok(())
    }

    fn layer_2(&mut self, rows: &mut [Rows; 2]) -> Result<(), Error> {
        let table = table(self.header, self.data.len());
        self.bound = self.bound.min(table.len());
        let mut classes: PerBand<Option<Class>> = [[None; 2]; BANDS];
        for (band, (classes, row)) in classes.iter_mut().zip(table.rows()).enumerate() {
            *classes = self.each(band, |bits, _| row.class(bits.read(row.bits())));
        }
        let mut selections: PerBand<u32> = [[0; 2]; BANDS];
        for (selections, classes) in selections.iter_mut().zip(&classes) {
            let coded = selections.iter_mut().zip(classes).take(self.channels).filter(|(_, class)| class.is_some());
            coded.for_each(|(selection, _)| *selection = self.bits.read(2));
        }
        self.check()?;
        let mut factors: PerBand<[f32; 3]> = [[[0.0; 3]; 2]; BANDS];
        for (band, factors) in factors.iter_mut().enumerate() {
            for channel in (0..self.channels).filter(|channel| classes[band][*channel].is_some()) {
                factors[channel] = three_factors(&mut self.bits, selections[band][channel]);
            }
        }
        for triple in 0..12 {
            for band in 0..table.len() {
                let samples = self
                    .each(band, |bits, channel| classes[band][channel].map_or([0.0; 3], |class| class.samples(bits)));
                for channel in 0..self.channels {
                    let factor = factors[band][channel][triple / 4];
                    for (i, sample) in samples[channel].into_iter().enumerate() {
                        rows[channel][3 * triple + i][band] = sample * factor;
                    }
                }
            }
        }
        let silent = |row: &mut Row| row[table.len()..].fill(0.0);
        rows.iter_mut().flatten().for_each(silent);
        Ok(())
    }
}

/// The scale factors of the three parts of a subband by scfsi.
fn three_factors(bits: &mut Bits, selection: u32) -> [f32; 3] {
    let mut read = || scale(bits.read(6));
    let first = read();
    match selection {
        0 => [first, read(), read()],
        1 => [first, first, read()],
        2 => [first; 3],
        _ => {
            let second = read();
            [first, second, second]
        }
    }
}

/// Scale factor of an index: 2^(1 - index / 3) (table B.1).
fn scale(index: u32) -> f32 {
    (1.0 - f64::from(index) / 3.0).exp2() as f32
}

/// The sample of a code of `steps` steps, an odd number: evenly from -1 to 1, without the ends' halves.
fn dequantised(code: u32, steps: u32) -> f32 {
    (2.0 * f64::from(code) - f64::from(steps - 1)) as f32 / steps as f32
}
