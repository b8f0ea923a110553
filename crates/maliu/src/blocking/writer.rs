//! A packet writer and a sink, pumped.

use maliu_core::{
    format::{Format, Muxer},
    packet::{Frame, Packet},
    stream::StreamInfo,
    writer::{PacketWriter, Plan},
};

use super::Pump;
use crate::{
    error::{Error, MediaError, Result},
    io::{Sink, patiently},
};

/// Packets to a sink.
///
/// A packet that is refused leaves what is written intact. `WouldBlock` from a write says that the packet was not taken,
/// because too much waits for a sink that is "not yet" ready.
pub struct Writer<S> {
    pump: Pump<S>,
    packets: PacketWriter,
}

impl<S: Sink> Writer<S> {
    /// A writer of this format: checks the streams, writes what stands before the first packet.
    ///
    /// # Errors
    /// Those of [`PacketWriter::start`] and of the sink.
    pub fn start(sink: S, format: &'static Format, settings: &[(&str, &str)], streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::new(sink);
        let packets = PacketWriter::start(format, settings, streams, pump.output())?;
        pump.pump()?;
        Ok(Self { pump, packets })
    }

    /// As [`Writer::start`], with tags.
    ///
    /// # Errors
    /// As [`Writer::start`].
    pub fn plan(sink: S, plan: Plan, streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::new(sink);
        let packets = plan.start(streams, pump.output())?;
        pump.pump()?;
        Ok(Self { pump, packets })
    }

    /// As [`Writer::plan`], over a muxer of the caller's own or one made from typed options, e.g.
    /// [`flv::muxer`](maliu_core::formats::flv::muxer).
    ///
    /// # Errors
    /// As [`Writer::start`].
    pub fn with_muxer(sink: S, plan: Plan, muxer: Box<dyn Muxer>, streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::new(sink);
        let packets = plan.start_muxer(muxer, streams, pump.output())?;
        pump.pump()?;
        Ok(Self { pump, packets })
    }

    /// Writes a packet at once: the caller has brought the streams in order.
    ///
    /// # Errors
    /// Those of [`PacketWriter::write`] and of the sink.
    pub fn write(&mut self, packet: Packet) -> Result<()> {
        self.edit(|packets, pump| packets.write(packet, pump.output()))
    }

    /// Writes a packet as soon as every other stream has one that does not come earlier.
    ///
    /// # Errors
    /// Those of [`PacketWriter::write_interleaved`] and of the sink.
    pub fn write_interleaved(&mut self, packet: Packet) -> Result<()> {
        self.edit(|packets, pump| packets.write_interleaved(packet, pump.output()))
    }

    /// Writes an uncoded frame at once.
    ///
    /// # Errors
    /// Those of [`PacketWriter::write_frame`] and of the sink.
    pub fn write_frame(&mut self, frame: Frame) -> Result<()> {
        self.edit(|packets, pump| packets.write_frame(frame, pump.output()))
    }

    /// Writes all that waits to the sink; packets that wait for their turn go on waiting.
    ///
    /// # Errors
    /// Those of the muxer and of the sink; after `WouldBlock` call again.
    pub fn flush(&mut self) -> Result<()> {
        self.edit(|packets, pump| packets.flush(pump.output()))?;
        self.pump.flush()
    }

    /// Writes what waits and what stands behind the last packet, and gives the sink back. It waits for a sink that says
    /// "not yet". After an error of the muxer the sink is not finished: an atomic file does not appear.
    ///
    /// # Errors
    /// The first one of the muxer or of the sink.
    pub fn finish(self) -> Result<S> {
        let Self { mut pump, packets } = self;
        let finished = packets.finish(pump.output());
        let result = patiently(|| if finished.is_ok() { pump.finish() } else { pump.flush() }, Error::is_not_yet);
        finished?;
        result.map(|()| pump.into_sink())
    }

    /// The streams as the muxer took them: packets are written in these time bases.
    pub fn streams(&self) -> &[StreamInfo] {
        self.packets.streams()
    }

    /// The packet writer, for what it knows and explains.
    pub fn packets(&mut self) -> &mut PacketWriter {
        &mut self.packets
    }

    /// Bytes written so far, including those that wait.
    pub fn position(&mut self) -> u64 {
        self.pump.output().position()
    }

    fn edit(
        &mut self,
        edit: impl FnOnce(&mut PacketWriter, &mut Pump<S>) -> std::result::Result<(), MediaError>,
    ) -> Result<()> {
        self.pump.ready()?;
        let edited = edit(&mut self.packets, &mut self.pump);
        if self.packets.flushes_packets() {
            self.pump.flush()?
        } else {
            self.pump.pump()?
        }
        Ok(edited?)
    }
}
