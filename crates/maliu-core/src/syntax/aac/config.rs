//! AudioSpecificConfig: what a decoder must know before the first raw data block (ISO/IEC 14496-3 §1.6.2.1).

use alloc::vec::Vec;

use super::{CHANNELS, Pce, SAMPLE_RATES, rate_index};
use crate::bits::{BitWriter, Bits};

/// An AudioSpecificConfig of the general audio coder (AAC). Other object types keep only the first four fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioSpecificConfig {
    /// Audio object type of the core coder: 1 Main, 2 LC, 3 SSR, 4 LTP, …
    pub object_type: u8,
    /// Hz of the core coder.
    pub sample_rate: u32,
    /// channelConfiguration; 0 when `pce` says it.
    pub channel_config: u8,
    /// Announcement of spectral band replication, if any.
    pub extension: Option<Extension>,
    /// frameLengthFlag: 960 samples a block, not 1024.
    pub short_frames: bool,
    /// coreCoderDelay, when the stream depends on a core coder.
    pub core_coder_delay: Option<u16>,
    /// extensionFlag of the general audio configuration.
    pub extension_flag: bool,
    /// The program config element, with `channel_config` 0.
    pub pce: Option<Pce>,
}

/// Announced spectral band replication (SBR) and parametric stereo (PS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Hz of what is decoded with SBR.
    pub sample_rate: u32,
    /// Whether SBR data is there; `false` when the configuration says that it is not.
    pub sbr: bool,
    /// Whether PS data is there; `None` when nothing is said.
    pub ps: Option<bool>,
    /// Said in front, so that no old decoder plays the core, or behind, where old decoders do not look.
    pub hierarchical: bool,
}

const AOT_SBR: u8 = 5;
const AOT_PS: u8 = 29;
const AOT_LD: u8 = 23;
const AOT_ELD: u8 = 39;
const SYNC_SBR: u32 = 0x2b7;
const SYNC_PS: u32 = 0x548;

impl AudioSpecificConfig {
    /// A configuration without extensions.
    pub fn new(object_type: u8, sample_rate: u32, channel_config: u8) -> Self {
        Self {
            object_type,
            sample_rate,
            channel_config,
            extension: None,
            short_frames: false,
            core_coder_delay: None,
            extension_flag: false,
            pce: None,
        }
    }

    /// The configuration in `bytes`; `None` when it is cut or uses a reserved rate.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bits = &mut Bits::new(bytes);
        let mut config = Self::read(bits)?;
        if config.extension.is_none() {
            config.extension = read_backward_compatible(bits);
        }
        Some(config)
    }

    /// The configuration at `bits`, which are left behind it. Parts that old decoders ignore are not looked for: in
    /// streams that do not say how long a configuration is, other bits follow.
    pub fn read(bits: &mut Bits) -> Option<Self> {
        let first_type = read_type(bits)?;
        let mut config = Self::new(first_type, read_rate(bits)?, bits.read(4)? as u8);
        if first_type == AOT_SBR || first_type == AOT_PS {
            let ps = (first_type == AOT_PS).then_some(true);
            config.extension = Some(Extension { sample_rate: read_rate(bits)?, sbr: true, ps, hierarchical: true });
            config.object_type = read_type(bits)?;
        }
        match config.object_type {
            1..=4 | 6 | 7 | 17 | 19..=23 => config.read_general(bits)?,
            AOT_ELD => config.read_low_delay(bits)?,
            _ => {}
        }
        if matches!(config.object_type, 17 | 19..=27 | AOT_ELD) {
            bits.skip(2)?;
        }
        Some(config)
    }

    /// ELDSpecificConfig (§4.6.20.1).
    fn read_low_delay(&mut self, bits: &mut Bits) -> Option<()> {
        self.short_frames = bits.flag()?;
        bits.skip(3)?;
        if bits.flag()? {
            bits.skip(2)?;
            let headers = match self.channel_config {
                1 | 2 => 1,
                3 => 2,
                4..=6 => 3,
                7 => 4,
                _ => 0,
            };
            (0..headers).try_for_each(|_| skip_sbr_header(bits))?;
        }
        while bits.read(4)? != 0 {
            let mut length = bits.read(4)?;
            if length == 15 {
                let more = bits.read(8)?;
                length += more;
                length += if more == 255 { bits.read(16)? } else { 0 };
            }
            bits.skip(length as usize * 8)?;
        }
        Some(())
    }

    /// GASpecificConfig (§4.4.1).
    fn read_general(&mut self, bits: &mut Bits) -> Option<()> {
        self.short_frames = bits.flag()?;
        self.core_coder_delay = if bits.flag()? { Some(bits.read(14)? as u16) } else { None };
        self.extension_flag = bits.flag()?;
        if self.channel_config == 0 {
            self.pce = Some(Pce::read(bits)?);
        }
        if matches!(self.object_type, 6 | 20) {
            bits.skip(3)?;
        }
        if self.extension_flag {
            match self.object_type {
                22 => bits.skip(16)?,
                17 | 19 | 20 | 23 => bits.skip(3)?,
                _ => {}
            }
            bits.skip(1)?;
        }
        Some(())
    }

    /// The bytes of the configuration. Only object types 1 to 4 have their general part written.
    pub fn build(&self) -> Vec<u8> {
        let mut out = BitWriter::new();
        match self.extension {
            Some(ext) if ext.hierarchical => {
                write_type(&mut out, if ext.ps == Some(true) { AOT_PS } else { AOT_SBR });
                write_rate(&mut out, self.sample_rate);
                out.write(4, self.channel_config.into());
                write_rate(&mut out, ext.sample_rate);
                write_type(&mut out, self.object_type);
            }
            _ => {
                write_type(&mut out, self.object_type);
                write_rate(&mut out, self.sample_rate);
                out.write(4, self.channel_config.into());
            }
        }
        if matches!(self.object_type, 1..=4) {
            out.write(1, self.short_frames.into());
            out.write(1, self.core_coder_delay.is_some().into());
            self.core_coder_delay.into_iter().for_each(|delay| out.write(14, delay.into()));
            out.write(1, self.extension_flag.into());
            self.pce.iter().filter(|_| self.channel_config == 0).for_each(|pce| pce.write(&mut out));
            out.write(self.extension_flag.into(), 0);
        }
        if let Some(ext) = self.extension.filter(|ext| !ext.hierarchical) {
            out.write(11, SYNC_SBR);
            write_type(&mut out, AOT_SBR);
            out.write(1, ext.sbr.into());
            if ext.sbr {
                write_rate(&mut out, ext.sample_rate);
            }
            if let Some(ps) = ext.ps.filter(|_| ext.sbr) {
                out.write(11, SYNC_PS);
                out.write(1, ps.into());
            }
        }
        out.finish()
    }

    /// Channels of the core coder; 0 when unknown.
    pub fn channels(&self) -> u16 {
        match &self.pce {
            Some(pce) => pce.channels(),
            None => CHANNELS.get(usize::from(self.channel_config)).copied().unwrap_or(0),
        }
    }

    /// Samples per channel that one raw data block decodes to in the core coder.
    pub fn frame_size(&self) -> u32 {
        match (self.object_type, self.short_frames) {
            (AOT_LD | AOT_ELD, false) => 512,
            (AOT_LD | AOT_ELD, true) => 480,
            (_, false) => 1024,
            (_, true) => 960,
        }
    }
}

/// sbr_header (§4.4.2.8).
fn skip_sbr_header(bits: &mut Bits) -> Option<()> {
    bits.skip(1 + 4 + 4 + 3 + 2)?;
    let (first, second) = (bits.flag()?, bits.flag()?);
    bits.skip(if first { 5 } else { 0 } + if second { 6 } else { 0 })
}

/// The syncExtensionType part behind a configuration, which old decoders do not look at.
fn read_backward_compatible(bits: &mut Bits) -> Option<Extension> {
    if bits.left() < 16 || bits.read(11)? != SYNC_SBR || read_type(bits)? != AOT_SBR {
        return None;
    }
    let sbr = bits.flag()?;
    let sample_rate = if sbr { read_rate(bits)? } else { 0 };
    let ps = if sbr && bits.left() >= 12 && bits.read(11)? == SYNC_PS { bits.flag() } else { None };
    Some(Extension { sample_rate, sbr, ps, hierarchical: false })
}

fn read_type(bits: &mut Bits) -> Option<u8> {
    match bits.read(5)? as u8 {
        31 => Some(32 + bits.read(6)? as u8),
        short => Some(short),
    }
}

fn write_type(out: &mut BitWriter, object_type: u8) {
    match object_type.checked_sub(32) {
        Some(long) => {
            out.write(5, 31);
            out.write(6, long.into());
        }
        None => out.write(5, object_type.into()),
    }
}

fn read_rate(bits: &mut Bits) -> Option<u32> {
    match bits.read(4)? {
        15 => bits.read(24),
        index => SAMPLE_RATES.get(index as usize).copied(),
    }
}

fn write_rate(out: &mut BitWriter, sample_rate: u32) {
    match rate_index(sample_rate) {
        Some(index) => out.write(4, index.into()),
        None => {
            out.write(4, 15);
            out.write(24, sample_rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_read_and_write_the_same_bytes() {
        let sbr = |ps, hierarchical| Some(Extension { sample_rate: 44_100, sbr: true, ps, hierarchical });
        let lc = AudioSpecificConfig::new(2, 44_100, 2);
        let half = AudioSpecificConfig::new(2, 22_050, 2);
        let odd = AudioSpecificConfig { sample_rate: 13_370, short_frames: true, ..lc.clone() };
        let pce = Pce { front: alloc::vec![(true, 0)], back: alloc::vec![(true, 1)], ..Pce::default() };
        let quad = AudioSpecificConfig { channel_config: 0, pce: Some(pce), ..lc.clone() };
        let cases: [(&[u8], AudioSpecificConfig); 6] = [
            (&[0x12, 0x10], lc),
            (&[0x13, 0x90, 0x56, 0xe5, 0xa0], AudioSpecificConfig { extension: sbr(None, false), ..half.clone() }),
            (
                &[0x13, 0x90, 0x56, 0xe5, 0xa5, 0x48, 0x80],
                AudioSpecificConfig { extension: sbr(Some(true), false), ..half.clone() },
            ),
            (&[0xeb, 0x92, 0x08, 0x00], AudioSpecificConfig { extension: sbr(Some(true), true), ..half }),
            (&[0x17, 0x80, 0x1a, 0x1d, 0x14], odd),
            (&[0x12, 0x00, 0x00, 0x04, 0x04, 0x00, 0x21, 0x10, 0x00], quad),
        ];
        for (bytes, config) in cases {
            assert_eq!(AudioSpecificConfig::parse(bytes).as_ref(), Some(&config), "{bytes:x?}");
            assert_eq!(config.build(), bytes, "{config:?}");
        }
    }

    #[test]
    fn a_cut_configuration_or_a_reserved_rate_is_none() {
        assert_eq!(AudioSpecificConfig::parse(&[0x12]), None);
        assert_eq!(AudioSpecificConfig::parse(&[0x16, 0x90]), None);
    }
}
