//! A packet writer and an asynchronous stream, pumped by a task.

use ::tokio::io::{AsyncSeek, AsyncWrite};
use maliu_core::{
    format::{Format, Muxer},
    packet::{Frame, Packet},
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

    /// As [`Writer::start`], with tags.
    ///
    /// # Errors
    /// Those of [`Plan::start`].
    pub fn plan(stream: W, plan: Plan, streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::new(stream);
        let packets = plan.start(streams, pump.output())?;
        Ok(Self { pump, packets })
    }

    /// As [`Writer::plan`], over a muxer of the caller's own or one made from typed options.
    ///
    /// # Errors
    /// Those of [`Plan::start_muxer`].
    pub fn with_muxer(stream: W, plan: Plan, muxer: Box<dyn Muxer>, streams: &[StreamInfo]) -> Result<Self> {
        let mut pump = Pump::new(stream);
        let packets = plan.start_muxer(muxer, streams, pump.output())?;
        Ok(Self { pump, packets })
    }

    /// Writes a packet at once: the caller has brought the streams in order.
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

    /// Writes an uncoded frame at once.
    ///
    /// # Errors
    /// Those of [`PacketWriter::write_frame`] and of the stream.
    pub async fn write_frame(&mut self, frame: Frame) -> Result<()> {
        self.make_room().await?;
        self.packets.write_frame(frame, self.pump.output())?;
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

    /// Writes what waits and what stands behind the last packet, and gives the stream back. Where the future may be
    /// dropped, use [`Writer::close`].
    ///
    /// # Errors
    /// The first one of the muxer or of the stream.
    pub async fn finish(self) -> Result<W> {
        let mut pump = self.close()?;
        pump.finish().await?;
        Ok(pump.into_inner())
    }

    /// As [`Writer::finish`], but gives back the pump, whose [`finish`](Pump::finish) writes out what is left and can be
    /// called again.
    ///
    /// # Errors
    /// The first one of the muxer.
    pub fn close(self) -> Result<Pump<W>> {
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

    /// Bytes written so far, including those that wait.
    pub fn position(&mut self) -> u64 {
        self.pump.output().position()
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
