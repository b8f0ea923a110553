//! A packet writer and an asynchronous stream, pumped by a task.

use ::tokio::io::{AsyncSeek, AsyncWrite};
use maliu_core::{
    format::Format,
    packet::Packet,
    stream::StreamInfo,
    writer::{PacketWriter, Plan},
};

use super::Pump;
use crate::{blocking::MAX_WAITING, error::Result};

/// Packets to an asynchronous stream.
///
/// A packet is taken when the future of its write is first polled; a future dropped later loses nothing, the next call
/// goes on. Only a write that finds more than [`MAX_WAITING`] bytes waiting writes those before it takes its packet.
pub struct Writer<W> {
    pump: Pump<W>,
    packets: PacketWriter,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// A writer to a stream that is only appended to. Nothing is written before the first `await`.
    ///
    /// # Errors
    /// Those of [`PacketWriter::start`].
    pub fn start(
        stream: W,
        format: &'static Format,
        settings: &[(&str, &str)],
        streams: &[StreamInfo],
    ) -> Result<Self> {
        let mut pump = Pump::new(stream);
        let packets = PacketWriter::start(format, settings, streams, pump.output())?;
        Ok(Self { pump, packets })
    }

    /// Writes a packet at once; its times are in the time base of [`Writer::streams`].
    ///
    /// # Errors
    /// Those of [`PacketWriter::write`] and of the stream.
    pub async fn write(&mut self, packet: Packet) -> Result<()> {
        self.make_room().await?;
        self.packets.write(packet, self.pump.output())?;
        self.hand_on().await
    }

    /// Writes a packet as soon as every other stream has one that does not come earlier.
    ///
    /// # Errors
    /// Those of [`PacketWriter::write_interleaved`] and of the stream.
    pub async fn write_interleaved(&mut self, packet: Packet) -> Result<()> {
        self.make_room().await?;
        self.packets.write_interleaved(packet, self.pump.output())?;
        self.hand_on().await
    }

    /// Writes all that waits to the stream; packets that wait for their turn go on waiting.
    ///
    /// # Errors
    /// Those of the muxer and of the stream.
    pub async fn flush(&mut self) -> Result<()> {
        self.packets.flush(self.pump.output())?;
        self.pump.flush().await
    }

    /// Writes what waits and what stands behind the last packet; gives the pump back, whose
    /// [`finish`](Pump::finish) writes it out and can be called again.
    ///
    /// # Errors
    /// The first one of the muxer.
    pub fn finish(self) -> Result<Pump<W>> {
        let Self { mut pump, packets } = self;
        packets.finish(pump.output())?;
        Ok(pump)
    }

    /// The streams as the muxer took them: packets are written in these time bases.
    pub fn streams(&self) -> &[StreamInfo] {
        self.packets.streams()
    }

    /// The packet writer, for what it knows and explains.
    pub fn packets(&mut self) -> &mut PacketWriter {
        &mut self.packets
    }

    async fn hand_on(&mut self) -> Result<()> {
        if self.packets.flushes_packets() { self.pump.flush().await } else { self.pump.pump().await }
    }

    async fn make_room(&mut self) -> Result<()> {
        if self.pump.waiting() > MAX_WAITING { self.pump.flush().await } else { Ok(()) }
    }
}

impl<W: AsyncWrite + AsyncSeek + Unpin> Writer<W> {
    /// A writer to a stream whose bytes can be overwritten.
    ///
    /// # Errors
    /// Those of [`Plan::start`].
    pub fn seekable(stream: W, plan: Plan, streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::seekable(stream);
        let packets = plan.start(streams, pump.output())?;
        Ok(Self { pump, packets })
    }
}
