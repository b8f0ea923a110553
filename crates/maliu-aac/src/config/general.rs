//! GASpecificConfig and ELDSpecificConfig: the part of a configuration that belongs to the core (ISO/IEC 14496-3 §4.4.1).

use super::{Config, LowDelaySbr, ProgramConfig, Resilience, Signal, object};
use crate::{Error, bits::Bits};

/// Object types that are decoded; others are refused with their names.
pub(super) fn supported(object_type: u8, bit: usize) -> Result<(), Error> {
    let name = match object_type {
        object::MAIN | object::LC | object::LTP => return Ok(()),
        object::ER_LC | object::ER_LTP | object::ER_LD | object::ER_ELD => return Ok(()),
        object::SSR => "AAC SSR",
        6 | 20 => "AAC scalable",
        7 | 21 => "TwinVQ",
        8 => "CELP",
        9 => "HVXC",
        object::ER_BSAC => "BSAC",
        object::PS => "MP3 on MP4",
        32..=34 => "MPEG-1 audio in MPEG-4",
        36 => "ALS",
        42 => "xHE-AAC (USAC)",
        0 => return Err(Error::Malformed { what: "audio object type 0", bit }),
        _ => "this audio object type",
    };
    Err(Error::Unsupported(name))
}

/// Reads what follows the channel configuration into `config`.
pub(super) fn parse(config: &mut Config, bits: &mut Bits, asc: &[u8]) -> Result<(), Error> {
    supported(config.object_type, bits.position())?;
    match config.object_type {
        object::ER_ELD => parse_eld(config, bits, asc)?,
        _ => parse_ga(config, bits)?,
    }
    if config.error_resilient() && bits.read(2) != 0 {
        return Err(Error::Unsupported("error protection (epConfig)"));
    }
    Ok(())
}

fn parse_ga(config: &mut Config, bits: &mut Bits) -> Result<(), Error> {
    let short = bits.flag();
    config.frame_length = match (config.object_type == object::ER_LD, short) {
        (false, false) => 1024,
        (false, true) => 960,
        (true, false) => 512,
        (true, true) => 480,
    };
    if bits.flag() {
        bits.skip(14); // coreCoderDelay
    }
    let extension = bits.flag();
    if config.channel_config == 0 {
        bits.skip(4); // element_instance_tag
        config.program = Some(ProgramConfig::parse(bits, 0)?);
    }
    if extension {
        if config.error_resilient() {
            config.resilience = read_resilience(bits);
        }
        bits.skip(1); // extensionFlag3
    }
    Ok(())
}

fn parse_eld(config: &mut Config, bits: &mut Bits, asc: &[u8]) -> Result<(), Error> {
    config.frame_length = if bits.flag() { 480 } else { 512 };
    config.resilience = read_resilience(bits);
    config.sbr = Signal::Absent;
    if bits.flag() {
        config.sbr = Signal::Explicit;
        let doubled = bits.flag();
        config.extension_rate = config.sample_rate << u32::from(doubled);
        let crc = bits.flag();
        let mut headers = Vec::new();
        for _ in 0..sbr_elements(config.channel_config) {
            headers.push(bits.position());
            skip_sbr_header(bits);
        }
        config.low_delay_sbr = Some(LowDelaySbr { config: asc.to_vec(), headers, crc });
    }
    while !bits.overrun() && bits.read(4) != 0 {
        let mut length = bits.read(4) as usize;
        if length == 15 {
            length += bits.read(8) as usize;
            if length == 15 + 255 {
                length += bits.read(16) as usize;
            }
        }
        bits.skip(8 * length);
    }
    Ok(())
}

/// aacSectionDataResilienceFlag, aacScalefactorDataResilienceFlag, aacSpectralDataResilienceFlag.
fn read_resilience(bits: &mut Bits) -> Resilience {
    Resilience { sections: bits.flag(), scale_factors: bits.flag(), spectrum: bits.flag() }
}

/// How many SBR headers an ELD configuration holds (§4.6.20.2): one for each single or pair element, none for LFE.
fn sbr_elements(channel_config: u8) -> usize {
    match channel_config {
        1 | 2 => 1,
        3 => 2,
        4..=6 => 3,
        7 | 11 | 12 | 14 => 4,
        _ => 0,
    }
}

/// Passes an sbr_header (table 4.63).
fn skip_sbr_header(bits: &mut Bits) {
    bits.skip(1 + 4 + 4 + 3 + 2); // amplitude resolution, start, stop, crossover band, reserved
    let (extra_1, extra_2) = (bits.flag(), bits.flag());
    bits.skip(5 * usize::from(extra_1) + 6 * usize::from(extra_2));
}
