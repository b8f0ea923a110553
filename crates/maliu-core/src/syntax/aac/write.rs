//! ADTS headers for the raw data blocks of one configuration (PAR-35).

use alloc::{borrow::Cow, format};

use bytes::Bytes;

use super::{
    AdtsHeader, AudioSpecificConfig,
    adts::{HEADER, MAX_FRAME, VARIABLE_RATE},
    pce::ID_PCE,
    rate_index,
};
use crate::{
    bits::BitWriter,
    packet::Packet,
    time::{Rounding, TimeBase},
};

/// Makes the header of each frame of a stream.
#[derive(Clone, Debug)]
pub struct AdtsWriter {
    header: AdtsHeader,
    /// A program config element that is still to be written, as the start of a raw data block.
    element: Bytes,
}

impl AdtsWriter {
    /// For an AudioSpecificConfig.
    ///
    /// # Errors
    /// The reason why ADTS cannot carry it.
    pub fn new(config: &[u8], mpeg2: bool) -> Result<Self, Cow<'static, str>> {
        let config = AudioSpecificConfig::parse(config).ok_or("the configuration cannot be read")?;
        let AudioSpecificConfig { object_type, sample_rate, channel_config, .. } = config;
        if !(1..=4).contains(&object_type) {
            return Err(format!("object type {object_type}, only 1 to 4 fit").into());
        }
        let Some(rate_index) = rate_index(sample_rate) else {
            return Err(format!("{sample_rate} Hz is not a rate of the table").into());
        };
        if config.short_frames || config.core_coder_delay.is_some() || config.extension_flag {
            return Err("frames of 960 samples, core coders and extensions do not fit".into());
        }
        if channel_config > 7 {
            return Err(format!("channel configuration {channel_config}, only 0 to 7 fit").into());
        }
        let mut element = Bytes::new();
        if channel_config == 0 {
            let pce = config.pce.ok_or("no channel configuration")?;
            let mut bits = BitWriter::new();
            bits.write(3, ID_PCE);
            pce.write(&mut bits);
            element = Bytes::from(bits.finish());
        }
        let header = AdtsHeader {
            mpeg2,
            crc: false,
            profile: object_type - 1,
            rate_index,
            channel_config,
            frame_length: 0,
            fullness: VARIABLE_RATE,
            blocks: 1,
        };
        Ok(Self { header, element })
    }

    /// Bytes in front of the packet's data: the header, and in front of the first one a program config element.
    /// `base` counts the packet's duration.
    ///
    /// # Errors
    /// The reason why the packet does not fit in a frame.
    pub fn head(&mut self, packet: &Packet, base: TimeBase) -> Result<([u8; HEADER], Bytes), Cow<'static, str>> {
        let frame_length = HEADER + self.element.len() + packet.data.len();
        if frame_length > MAX_FRAME {
            return Err(format!("a frame of {frame_length} bytes, at most {MAX_FRAME} fit").into());
        }
        let header = AdtsHeader { frame_length, blocks: blocks(packet, base, self.header), ..self.header };
        Ok((header.build(), core::mem::take(&mut self.element)))
    }
}

/// Raw data blocks in a packet, which only its duration tells: of what holds 2 to 4 times 1024 samples, so many.
fn blocks(packet: &Packet, base: TimeBase, header: AdtsHeader) -> u8 {
    let samples =
        base.rescale(packet.duration.unwrap_or_default(), TimeBase::hz(header.sample_rate()), Rounding::Near).0;
    (2..=4).find(|blocks| samples == i64::from(*blocks) * 1024).unwrap_or(1)
}
