//! ics_info: windows, their grouping, and prediction (ISO/IEC 14496-3 §4.4.2.1, tables 4.6 and 4.56).

use super::Syntax;
use crate::config::object;
use crate::tables::bands::Bands;
use crate::{Error, bits::Bits};

/// window_sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    Long,
    /// Long, with a short slope at its end.
    Start,
    /// Eight short windows.
    Short,
    /// Long, with a short slope at its beginning.
    Stop,
}

impl Sequence {
    /// Whether the second half of the window has the short slope.
    pub(crate) fn ends_short(self) -> bool {
        matches!(self, Sequence::Start | Sequence::Short)
    }

    /// The sequence a silent unit continues with.
    pub(crate) fn before_silence(self) -> Sequence {
        if self.ends_short() { Sequence::Stop } else { Sequence::Long }
    }
}

/// Windows and grouping of one channel in one unit.
#[derive(Clone, Copy)]
pub(crate) struct Info {
    pub(crate) sequence: Sequence,
    /// window_shape: Kaiser-Bessel derived; sine otherwise. Low overlap in AAC-LD.
    pub(crate) kbd: bool,
    /// Bands that are transmitted.
    pub(crate) max_sfb: usize,
    pub(crate) bands: &'static Bands,
    /// Windows of each group; zeros follow the last group.
    pub(crate) groups: [u8; 8],
    pub(crate) prediction: Prediction,
    /// Long term prediction of the first channel that has this info, and of the second.
    pub(crate) ltp: [Option<LongTerm>; 2],
    /// Error resilient pairs have ltp_data in front of each channel, not here.
    pub(crate) ltp_follows: bool,
}

/// Main prediction.
#[derive(Clone, Copy, Default)]
pub(crate) struct Prediction {
    /// Bit `b`: band `b` is predicted.
    pub(crate) used: u64,
    /// Which predictors are reset after this unit, 1 to 30; 0: none.
    pub(crate) reset_group: u8,
}

/// ltp_data.
#[derive(Clone, Copy, Default)]
pub(crate) struct LongTerm {
    /// Samples back; None in AAC-LD: as in the unit before.
    pub(crate) lag: Option<u16>,
    pub(crate) gain: f32,
    /// Bit `b`: band `b` is predicted.
    pub(crate) used: u64,
}

impl Info {
    /// One long window of silence.
    pub(crate) fn new(syntax: &Syntax) -> Info {
        Info {
            sequence: Sequence::Long,
            kbd: false,
            max_sfb: 0,
            bands: syntax.long,
            groups: ONE_GROUP,
            prediction: Prediction::default(),
            ltp: [None; 2],
            ltp_follows: false,
        }
    }

    /// Whether there are eight short windows.
    #[inline]
    pub(crate) fn short(&self) -> bool {
        self.sequence == Sequence::Short
    }

    /// Each group as its number, first window and windows.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let mut first = 0;
        let used = self.groups.into_iter().take_while(|&windows| windows > 0);
        used.enumerate().map(move |(group, windows)| {
            let start = first;
            first += usize::from(windows);
            (group, start, usize::from(windows))
        })
    }

    /// Reads ics_info; for AAC-ELD, which has none, its max_sfb. `common`: a pair shares it.
    pub(crate) fn parse(bits: &mut Bits, syntax: &Syntax, common: bool) -> Result<Info, Error> {
        let mut info = Info::new(syntax);
        if !syntax.eld() {
            bits.skip(1); // ics_reserved_bit
            info.sequence = match bits.read(2) {
                0 => Sequence::Long,
                1 => Sequence::Start,
                2 => Sequence::Short,
                _ => Sequence::Stop,
            };
            info.kbd = bits.flag();
            if syntax.low_delay() && info.sequence != Sequence::Long {
                return Err(Error::Malformed { what: "window switching in AAC-LD", bit: bits.position() });
            }
        }
        if info.short() {
            info.bands = syntax.short;
            info.max_sfb = bits.read(4) as usize;
            info.groups = parse_grouping(bits);
        } else {
            info.max_sfb = bits.read(6) as usize;
        }
        if info.max_sfb > usize::from(info.bands.count) {
            return Err(Error::Malformed { what: "more scale factor bands than there are", bit: bits.position() });
        }
        if !info.short() && !syntax.eld() && bits.flag() {
            match syntax.object_type {
                object::MAIN => info.prediction = Prediction::parse(bits, &info)?,
                object::LC | object::ER_LC => {
                    return Err(Error::Malformed { what: "prediction in AAC-LC", bit: bits.position() });
                }
                _ if common && syntax.error_resilient() => info.ltp_follows = true,
                _ => {
                    for channel in 0..1 + usize::from(common) {
                        info.parse_ltp(bits, syntax, channel);
                    }
                }
            }
        }
        Ok(info)
    }

    /// Reads ltp_data_present and ltp_data of the first or second channel.
    pub(crate) fn parse_ltp(&mut self, bits: &mut Bits, syntax: &Syntax, channel: usize) {
        let ltp = if bits.flag() { Some(LongTerm::parse(bits, syntax, self.max_sfb)) } else { None };
        if let Some(slot) = self.ltp.get_mut(channel) {
            *slot = ltp;
        }
    }
}

impl Prediction {
    fn parse(bits: &mut Bits, info: &Info) -> Result<Prediction, Error> {
        let mut found = Prediction::default();
        if bits.flag() {
            found.reset_group = bits.read(5) as u8;
            if !(1..=30).contains(&found.reset_group) {
                return Err(Error::Malformed { what: "reserved predictor reset group", bit: bits.position() });
            }
        }
        found.used = read_bands(bits, info.max_sfb.min(usize::from(info.bands.predicted)));
        Ok(found)
    }
}

impl LongTerm {
    fn parse(bits: &mut Bits, syntax: &Syntax, max_sfb: usize) -> LongTerm {
        let lag = match syntax.object_type {
            object::ER_LD => bits.flag().then(|| bits.read(10) as u16),
            _ => Some(bits.read(11) as u16),
        };
        let gain = GAINS[bits.read(3) as usize & 7];
        LongTerm { lag, gain, used: read_bands(bits, max_sfb.min(MAX_LTP_BANDS)) }
    }
}

/// One flag for each of `count` < 64 bands, the first in bit 0.
fn read_bands(bits: &mut Bits, count: usize) -> u64 {
    (0..count).fold(0, |used, band| used | u64::from(bits.flag()) << band)
}

/// scale_factor_grouping: a set bit joins a window to the one before it.
fn parse_grouping(bits: &mut Bits) -> [u8; 8] {
    let joined = bits.read(7);
    let mut groups = ONE_GROUP;
    let mut group = 0;
    for window in 0..7 {
        if joined >> (6 - window) & 1 == 0 {
            group += 1;
        }
        groups[group & 7] += 1;
    }
    groups
}

const ONE_GROUP: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];

/// Bands that long term prediction can reach.
const MAX_LTP_BANDS: usize = 40;

/// Gain by ltp_coef (table 4.150).
const GAINS: [f32; 8] = [0.570829, 0.696616, 0.813004, 0.911304, 0.984900, 1.067894, 1.194601, 1.369533];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn grouping_bits_join_windows() {
        let syntax = Syntax::of(&Config::from_adts(2, 4, 2).expect("LC"));
        // reserved, EIGHT_SHORT, KBD, max_sfb 14, grouping 1101110
        let info = Info::parse(&mut Bits::new(&[0b0101_1110, 0b1101_1100]), &syntax, false).expect("an info");
        assert!(info.short() && info.kbd && info.max_sfb == 14);
        assert_eq!(info.groups().collect::<Vec<_>>(), [(0, 0, 3), (1, 3, 4), (2, 7, 1)]);
        let too_many = Info::parse(&mut Bits::new(&[0b0101_1111, 0xff]), &syntax, false);
        assert!(matches!(too_many, Err(Error::Malformed { .. })));
    }
}
