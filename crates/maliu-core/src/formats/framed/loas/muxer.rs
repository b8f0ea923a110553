//! Packets → LOAS frames, each with one raw data block (ISO/IEC 14496-3 §1.7).

use alloc::boxed::Box;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging, mark},
    output::{Mark, Output},
    packet::Packet,
    settings::{Help, Settings},
    stream::{Codec, Metadata, StreamInfo},
    syntax::latm::LoasWriter,
    time::TimeBase,
};

/// The settings of writing.
pub(super) const SETTINGS: &[Help] = &[Help {
    name: "config_period",
    value: "FRAMES",
    default: "20",
    what: "Writing: frames from one configuration to the next.",
}];

/// Makes the muxer.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let period = settings.number("config_period", 1, 65_535)?.unwrap_or(20);
    settings.finish()?;
    Ok(Box::new(Loas { period: u32::try_from(period).unwrap_or(20), writer: None, base: TimeBase::SECONDS }))
}

struct Loas {
    period: u32,
    /// `None` until a configuration is known.
    writer: Option<LoasWriter>,
    base: TimeBase,
}

impl Muxer for Loas {
    fn start(&mut self, streams: &mut [StreamInfo], _: &Metadata, _: &mut Output) -> Result<()> {
        let stream = match streams {
            [stream] if stream.codec == Codec::Aac => stream,
            _ => return Err(refused("takes one stream, of AAC")),
        };
        self.base = stream.time_base;
        if !stream.config.is_empty() {
            self.writer = Some(LoasWriter::new(&stream.config, self.period).map_err(refused)?);
        }
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if let Some(config) = packet.side.new_config() {
            self.writer = Some(LoasWriter::new(config, self.period).map_err(refused)?);
        }
        let writer = self.writer.as_mut().ok_or_else(|| refused("a packet before any configuration"))?;
        let configures = writer.configures();
        let frame = writer.frame(&packet.data).map_err(refused)?;
        let place = match mark(packet, self.base, false, false) {
            Mark::Key { time } if !configures => Mark::Body { time },
            place => place,
        };
        out.append(place, [frame]);
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<()> {
        Ok(())
    }

    fn packaging(&self, _: &StreamInfo) -> Packaging {
        Packaging::RawAac
    }
}

fn refused(why: impl Into<alloc::borrow::Cow<'static, str>>) -> Error {
    Error::mux("loas", why)
}
