//! AudioSpecificConfig: what a stream says of itself before its first access unit (ISO/IEC 14496-3 §1.6.2.1).
//!
//! Handled: object types 1, 2, 4, 5, 17, 19, 23, 29, 39; SBR and PS said hierarchically, said in a backward compatible
//! extension, or not said. Refused by name: SSR, scalable, TwinVQ, BSAC, USAC and error protection (epConfig).

mod general;
mod program;

use crate::{Error, bits::Bits};
pub use program::{Place, ProgramConfig, ProgramElement};

/// Audio object types by their number in the standard (table 1.17).
pub(crate) mod object {
    pub(crate) const MAIN: u8 = 1;
    pub(crate) const LC: u8 = 2;
    pub(crate) const SSR: u8 = 3;
    pub(crate) const LTP: u8 = 4;
    pub(crate) const SBR: u8 = 5;
    pub(crate) const ER_LC: u8 = 17;
    pub(crate) const ER_LTP: u8 = 19;
    pub(crate) const ER_BSAC: u8 = 22;
    pub(crate) const ER_LD: u8 = 23;
    pub(crate) const PS: u8 = 29;
    pub(crate) const ER_ELD: u8 = 39;
}

/// Whether a tool that extends the core is said to be in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// Said not to be there.
    Absent,
    /// Not said: the access units tell.
    #[default]
    Implicit,
    /// Said to be there.
    Explicit,
}

/// Facts that a decoder needs before the first access unit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Audio object type of the core: 1 Main, 2 LC, 4 LTP, 17 ER LC, 19 ER LTP, 23 LD, 39 ELD.
    pub object_type: u8,
    /// Sampling rate of the core in Hz.
    pub sample_rate: u32,
    /// Channels of the core; 0 when only a program config element inside the access units tells.
    pub channels: u8,
    /// Channel configuration (table 1.19); 0: see `program`.
    pub channel_config: u8,
    /// Samples a channel that one access unit of the core holds: 1024, 960, 512 or 480.
    pub frame_length: u16,
    /// Spectral band replication.
    pub sbr: Signal,
    /// Parametric stereo.
    pub ps: Signal,
    /// Rate of the output in Hz when SBR is explicit, else 0. Equal to `sample_rate`: downsampled SBR.
    pub extension_rate: u32,
    /// The channels when `channel_config` is 0 and the configuration names them.
    pub program: Option<ProgramConfig>,
    /// Low delay SBR of AAC-ELD: its headers, and whether its data carries a checksum.
    pub(crate) low_delay_sbr: Option<LowDelaySbr>,
    /// Tools of the error resilient object types.
    pub(crate) resilience: Resilience,
}

/// Which parts of a unit are coded to withstand damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resilience {
    /// aacSectionDataResilienceFlag: virtual codebooks (VCB11).
    pub(crate) sections: bool,
    /// aacScalefactorDataResilienceFlag: reversible codes (RVLC).
    pub(crate) scale_factors: bool,
    /// aacSpectralDataResilienceFlag: reordered codewords (HCR).
    pub(crate) spectrum: bool,
}

/// The `ld_sbr_header`s of an ELD configuration, kept as bits for each channel element's SBR decoder to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LowDelaySbr {
    pub(crate) config: Vec<u8>,
    /// First bit of each element's header in `config`.
    pub(crate) headers: Vec<usize>,
    pub(crate) crc: bool,
}

impl Config {
    /// Reads an AudioSpecificConfig, as MP4's `esds`, FLV's sequence header and LATM carry it.
    ///
    /// # Errors
    /// [`Error::Malformed`], with the bit in `asc`; [`Error::Unsupported`].
    pub fn parse(asc: &[u8]) -> Result<Config, Error> {
        let mut bits = Bits::new(asc);
        let mut object_type = read_object_type(&mut bits);
        let mut sample_rate = read_rate(&mut bits)?;
        let channel_config = bits.read(4) as u8;
        let (mut sbr, mut ps, mut extension_rate) = (Signal::Implicit, Signal::Implicit, 0);
        // An MP3-on-MP4 draft used object type 29 before parametric stereo did: its third bits tell them apart.
        let draft = object_type == object::PS && bits.peek(3) & 3 != 0 && bits.peek(9) & 0x3f == 0;
        if object_type == object::SBR || object_type == object::PS && !draft {
            if object_type == object::PS {
                ps = Signal::Explicit;
            }
            sbr = Signal::Explicit;
            extension_rate = read_rate(&mut bits)?;
            object_type = read_object_type(&mut bits);
            if object_type == object::ER_BSAC {
                bits.skip(4);
            }
        }
        let mut config = Config {
            object_type,
            sample_rate,
            channels: 0,
            channel_config,
            frame_length: 1024,
            sbr,
            ps,
            extension_rate,
            program: None,
            low_delay_sbr: None,
            resilience: Resilience::default(),
        };
        general::parse(&mut config, &mut bits, asc)?;
        if bits.overrun() {
            return Err(Error::Malformed { what: "configuration cut short", bit: asc.len() * 8 });
        }
        if config.sbr == Signal::Implicit {
            read_sync_extension(&mut config, bits);
        }
        sample_rate = config.sample_rate;
        config.settle(sample_rate)
    }

    /// The configuration an ADTS header implies. `object_type` is the audio object type (profile + 1).
    ///
    /// SSR passes, because encoders write it over plain LC; units with the gain control of real SSR are refused.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a rate index or channel configuration that is reserved; [`Error::Unsupported`].
    pub fn from_adts(object_type: u8, rate_index: u8, channel_config: u8) -> Result<Config, Error> {
        let Some(&sample_rate) = RATES.get(usize::from(rate_index)) else {
            return Err(Error::Malformed { what: "reserved sampling frequency index", bit: 18 });
        };
        let config = Config {
            object_type,
            sample_rate,
            channels: 0,
            channel_config: channel_config & 7,
            frame_length: 1024,
            sbr: Signal::Implicit,
            ps: Signal::Implicit,
            extension_rate: 0,
            program: None,
            low_delay_sbr: None,
            resilience: Resilience::default(),
        };
        if object_type != object::SSR {
            general::supported(object_type, 16)?;
        }
        config.settle(sample_rate)
    }

    /// Short name of the profile as far as the configuration tells: `LC`, `HE-AAC`, `HE-AACv2`, `Main`, `LTP`, `LD`,
    /// `ELD`. [`Decoder::profile_name`](crate::Decoder::profile_name) knows what the access units add.
    pub fn profile_name(&self) -> &'static str {
        match (self.object_type, self.sbr, self.ps) {
            (object::ER_ELD, ..) => "ELD",
            (object::ER_LD, ..) => "LD",
            (_, Signal::Explicit, Signal::Explicit) => "HE-AACv2",
            (_, Signal::Explicit, _) => "HE-AAC",
            (object::MAIN, ..) => "Main",
            (object::SSR, ..) => "SSR",
            (object::LTP | object::ER_LTP, ..) => "LTP",
            _ => "LC",
        }
    }

    /// Whether the output has another rate than SBR usually gives: that of the core.
    pub(crate) fn downsampled(&self) -> bool {
        self.extension_rate != 0 && self.extension_rate <= self.sample_rate
    }

    /// Rate of the output in Hz, as far as the configuration tells.
    pub fn output_rate(&self) -> u32 {
        if self.sbr == Signal::Explicit && !self.downsampled() { 2 * self.sample_rate } else { self.sample_rate }
    }

    /// Whether the access units have the syntax of the error resilient object types.
    pub(crate) fn error_resilient(&self) -> bool {
        self.object_type >= object::ER_LC
    }

    /// Index of the nearest rate that has tables (table 4.82).
    pub(crate) fn rate_index(&self) -> usize {
        RATE_FLOORS.iter().position(|&floor| self.sample_rate >= floor).unwrap_or(RATE_FLOORS.len())
    }

    /// Derives what follows from the rest, and refuses what no decoder could set up.
    fn settle(mut self, sample_rate: u32) -> Result<Config, Error> {
        if sample_rate == 0 || sample_rate > MAX_RATE {
            return Err(Error::Malformed { what: "sampling rate outside 1..=96000", bit: 5 });
        }
        self.channels = match (self.channel_config, &self.program) {
            (0, Some(program)) => program.channels(),
            (0, None) => 0,
            (index, _) => match CHANNELS.get(usize::from(index)) {
                Some(&channels) if channels > 0 => channels,
                _ => return Err(Error::Malformed { what: "reserved channel configuration", bit: 9 }),
            },
        };
        if usize::from(self.channels) > crate::MAX_CHANNELS {
            return Err(Error::Unsupported("a program of more than 64 channels"));
        }
        // Parametric stereo makes two channels of one; unsaid it is looked for only where its profile allows it.
        let unsaid = self.ps == Signal::Implicit && self.object_type != object::LC;
        if self.sbr == Signal::Absent || self.channels > 1 || unsaid {
            self.ps = Signal::Absent;
        }
        Ok(self)
    }
}

/// Highest core rate, in Hz.
const MAX_RATE: u32 = 96_000;

/// Sampling frequencies by index (table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The lowest rate that uses the tables of each index (table 4.82); lower rates use those of 8000 Hz.
const RATE_FLOORS: [u32; 11] = [92_017, 75_132, 55_426, 46_009, 37_566, 27_713, 23_004, 18_783, 13_856, 11_502, 9_391];

/// Channels by channel configuration (table 1.19); 0 where it is reserved.
const CHANNELS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0];

fn read_object_type(bits: &mut Bits) -> u8 {
    match bits.read(5) {
        31 => 32 + bits.read(6) as u8,
        object_type => object_type as u8,
    }
}

fn read_rate(bits: &mut Bits) -> Result<u32, Error> {
    match bits.read(4) {
        15 => Ok(bits.read(24)),
        index => RATES
            .get(index as usize)
            .copied()
            .ok_or(Error::Malformed { what: "reserved sampling frequency index", bit: bits.position() }),
    }
}

/// Looks for the backward compatible signalling that may follow the configuration. Writers pad before it, so that it
/// is searched bit by bit, as FFmpeg does.
fn read_sync_extension(config: &mut Config, mut bits: Bits) {
    while bits.left() > 15 {
        if bits.peek(11) != 0x2b7 {
            bits.skip(1);
            continue;
        }
        bits.skip(11);
        if read_object_type(&mut bits) == object::SBR {
            config.sbr = if bits.flag() { Signal::Explicit } else { Signal::Absent };
            if config.sbr == Signal::Explicit {
                config.extension_rate = read_rate(&mut bits).unwrap_or(0);
            }
        }
        if bits.left() > 11 && bits.read(11) == 0x548 {
            config.ps = if bits.flag() { Signal::Explicit } else { Signal::Absent };
        }
        if config.extension_rate == 0 && config.sbr == Signal::Explicit {
            config.sbr = Signal::Implicit;
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(asc: &[u8]) -> (u8, u32, u8, u16, Signal, Signal, u32, &'static str) {
        let c = Config::parse(asc).expect("a good configuration");
        (c.object_type, c.sample_rate, c.channels, c.frame_length, c.sbr, c.ps, c.extension_rate, c.profile_name())
    }

    #[test]
    fn every_way_to_say_sbr_is_understood() {
        use Signal::{Explicit, Implicit};
        assert_eq!(summary(&[0x12, 0x10]), (2, 44_100, 2, 1024, Implicit, Signal::Absent, 0, "LC"));
        assert_eq!(summary(&[0x2b, 0x92, 0x08, 0x00]).3, 1024);
        assert_eq!(
            summary(&[0x2b, 0x92, 0x08, 0x00]),
            (2, 22_050, 2, 1024, Explicit, Signal::Absent, 44_100, "HE-AAC")
        );
        assert_eq!(
            summary(&[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80]),
            (2, 22_050, 1, 1024, Explicit, Explicit, 44_100, "HE-AACv2")
        );
        assert_eq!(summary(&[0xeb, 0x8a, 0x08, 0x00]), (2, 22_050, 1, 1024, Explicit, Explicit, 44_100, "HE-AACv2"));
    }

    #[test]
    fn what_is_not_decoded_is_refused_by_its_name() {
        assert_eq!(Config::parse(&[0x1a, 0x10]), Err(Error::Unsupported("AAC SSR")));
        assert_eq!(Config::parse(&[0xf9, 0x48, 0x42, 0, 0]), Err(Error::Unsupported("xHE-AAC (USAC)")));
        assert!(matches!(Config::parse(&[0x12]), Err(Error::Malformed { .. })));
        assert!(matches!(Config::from_adts(2, 13, 2), Err(Error::Malformed { .. })));
    }

    #[test]
    fn a_rate_without_an_index_uses_the_tables_of_its_neighbour() {
        let asc = [0x17, 0x80, 0x57, 0xe4, 0x10];
        let config = Config::parse(&asc).expect("an escaped rate");
        assert_eq!((config.sample_rate, config.rate_index()), (45_000, 4));
    }
}
