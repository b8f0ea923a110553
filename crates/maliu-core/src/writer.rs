//! Drives any muxer: packets in, bytes out, by the rules of writing frames (WF-6…WF-59).
//!
//! ```text
//!   write ─────────────┐                                    ┌─▶ shift ─▶ Muxer ─▶ Output
//!   write_interleaved ─┴▶ package ─▶ fill ─┬────────────────┘
//!                                          └─▶ order (2 streams or more)
//! ```

use alloc::{boxed::Box, format, vec::Vec};

use crate::{
    error::{Error, PacketError, Result},
    format::{Format, Muxer},
    output::Output,
    packet::{Frame, Packet},
    stream::{Metadata, StreamInfo},
    time::{Ticks, TimeBase},
    timing::{At, Fill, Fired, Notes, Path, Rules, order::Order, shift::Shift},
};

mod check;
mod options;
mod package;

use options::Options;
pub use options::SETTINGS;
use package::Package;

/// Packets in, bytes out, whatever the format.
pub struct PacketWriter {
    muxer: Box<dyn Muxer>,
    rules: Rules,
    streams: Vec<StreamInfo>,
    /// The time bases that the caller declared the streams with.
    declared: Vec<TimeBase>,
    written: Vec<u64>,
    packages: Vec<Package>,
    fill: Fill,
    order: Option<Order>,
    shift: Shift,
    notes: Notes,
    flush: bool,
}

/// Options of a file besides its streams.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// The format.
    pub format: &'static Format,
    /// Settings of the writer ([`SETTINGS`]) and of the format.
    pub settings: &'a [(&'a str, &'a str)],
    /// Tags of the whole file.
    pub metadata: &'a Metadata,
}

impl<'a> Plan<'a> {
    /// A file of this format with these settings and tags.
    pub fn new(format: &'static Format, settings: &'a [(&'a str, &'a str)], metadata: &'a Metadata) -> Self {
        Self { format, settings, metadata }
    }

    /// Checks the streams, writes what stands before the first packet.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the format is only read, [`Error::Setting`], [`Error::Mux`].
    pub fn start(self, streams: &[StreamInfo], out: &mut Output) -> Result<PacketWriter> {
        let make = self.format.muxer.ok_or_else(|| Error::unsupported(format!("writing {}", self.format.name)))?;
        let (_, own) = Options::split(self.settings, self.format)?;
        self.start_muxer(make(&own)?, streams, out)
    }

    /// As [`Plan::start`], over a muxer of the caller's own, presented as the format.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Mux`].
    pub fn start_muxer(
        self,
        mut muxer: Box<dyn Muxer>,
        streams: &[StreamInfo],
        out: &mut Output,
    ) -> Result<PacketWriter> {
        let rules = self.format.rules;
        let (options, _) = Options::split(self.settings, self.format)?;
        let declared = streams.iter().map(|stream| stream.time_base).collect();
        let mut streams = streams.to_vec();
        check::streams(self.format, &mut streams, options.strict)?;
        let metadata = check::metadata(self.metadata, options.bitexact);
        muxer.start(&mut streams, &metadata, out)?;
        let package = |stream: &StreamInfo| match options.packaging {
            true => Package::new(muxer.packaging(stream), stream),
            false => Package::AsIs,
        };
        let counted = streams.iter().filter(|stream| !stream.takes_no_packets()).count();
        let queued = counted > 1 && !rules.no_order;
        Ok(PacketWriter {
            fill: Fill::new(rules, &streams),
            order: queued.then(|| Order::new(options.order, &streams)),
            shift: Shift::new(options.avoid, options.offset, rules, &streams),
            notes: Notes::default(),
            flush: options.flush,
            packages: streams.iter().map(package).collect(),
            written: streams.iter().map(|_| 0).collect(),
            muxer,
            rules,
            streams,
            declared,
        })
    }
}

impl Plan<'_> {
    /// Whether the settings are known and fit, which is known before the streams are.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        let (_, own) = Options::split(self.settings, self.format)?;
        self.format.muxer.map_or(Ok(()), |make| make(&own).map(drop))
    }
}

impl PacketWriter {
    /// A writer of this format: checks the streams, writes what stands before the first packet.
    ///
    /// # Errors
    /// As [`Plan::start`].
    pub fn start(
        format: &'static Format,
        settings: &[(&str, &str)],
        streams: &[StreamInfo],
        out: &mut Output,
    ) -> Result<Self> {
        Plan { format, settings, metadata: &Metadata::default() }.start(streams, out)
    }

    /// Writes a packet at once: the caller has brought the streams in order (WF-16). Its times are converted from its
    /// [`Packet::time_base`] to the one that the muxer chose ([`PacketWriter::streams`]).
    ///
    /// # Errors
    /// [`Error::Packet`] for the rule it breaks, [`Error::Mux`].
    pub fn write(&mut self, packet: Packet, out: &mut Output) -> Result<()> {
        self.take(packet, None, Path::Direct, out)
    }

    /// Writes a packet as soon as every other stream has one that does not come earlier (WF-18).
    ///
    /// # Errors
    /// As [`PacketWriter::write`]; [`Error::Mux`] may be about an earlier packet that waited until now (WF-20).
    #[inline]
    pub fn write_interleaved(&mut self, packet: Packet, out: &mut Output) -> Result<()> {
        self.take(packet, None, Path::Interleaved, out)
    }

    /// Writes an uncoded frame at once (WF-23).
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the format takes none; as [`PacketWriter::write`].
    pub fn write_frame(&mut self, frame: Frame, out: &mut Output) -> Result<()> {
        self.take_frame(frame, Path::Direct, out)
    }

    /// Writes an uncoded frame when its turn has come.
    ///
    /// # Errors
    /// As [`PacketWriter::write_frame`].
    pub fn write_frame_interleaved(&mut self, frame: Frame, out: &mut Output) -> Result<()> {
        self.take_frame(frame, Path::Interleaved, out)
    }

    /// Writes all packets that wait for their turn (WF-19).
    ///
    /// # Errors
    /// [`Error::Mux`] for the first packet refused; it is lost, those behind it still wait.
    pub fn drain(&mut self, out: &mut Output) -> Result<()> {
        self.release(true, out)
    }

    /// Makes the muxer write what it holds back itself; nothing where the format holds nothing back (WF-17).
    ///
    /// # Errors
    /// [`Error::Mux`].
    pub fn flush(&mut self, out: &mut Output) -> Result<()> {
        if self.rules.flush { self.muxer.flush(out) } else { Ok(()) }
    }

    /// Tells the muxer that the tags have changed.
    pub fn update_metadata(&mut self, metadata: &Metadata) {
        self.muxer.metadata(metadata);
    }

    /// Writes what waits and what stands behind the last packet. The end is written after errors too (WF-57).
    ///
    /// # Errors
    /// The first one.
    pub fn finish(mut self, out: &mut Output) -> Result<()> {
        let drained = self.release(true, out);
        let finished = self.muxer.finish(out);
        drained.and(finished)
    }

    /// The streams as the muxer took them: packets are written in these time bases.
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// Packets that reached the muxer and were taken, by stream.
    pub fn written(&self) -> &[u64] {
        &self.written
    }

    /// When the stream's next packet is expected, in its time base (WF-38).
    pub fn end(&self, stream: usize) -> Option<Ticks> {
        self.fill.end(stream)
    }

    /// Notes that a packet of the input is left out, with its size in bytes: waiting packets are copied rather than
    /// keep it in memory.
    pub fn pass(&mut self, bytes: usize) {
        self.order.iter_mut().for_each(|order| order.pass(bytes));
    }

    /// Packets and bytes of memory that wait for their turn.
    pub fn waiting(&self) -> (usize, usize) {
        self.order.as_ref().map_or((0, 0), |order| (order.len(), order.bytes()))
    }

    /// Whether what is written is to be handed on after each packet: `flush_packets` is 1 (WF-54).
    pub fn flushes_packets(&self) -> bool {
        self.flush
    }

    /// Switches the notes on what each rule changed or refused, and why; fetch them with
    /// [`PacketWriter::next_explanation`].
    pub fn explain(&mut self, on: bool) {
        self.notes.switch(on);
    }

    /// The oldest note not yet fetched.
    pub fn next_explanation(&mut self) -> Option<Fired> {
        self.notes.take()
    }

    fn take_frame(&mut self, frame: Frame, path: Path, out: &mut Output) -> Result<()> {
        if !self.muxer.takes_frames() {
            return Err(Error::unsupported("writing uncoded frames to this format (WF-23)"));
        }
        let Frame { stream, time_base, pts, duration, samples, data } = frame;
        let packet = Packet { stream, time_base, pts, dts: pts, duration, data, ..Packet::default() };
        self.take(packet, Some(samples), path, out)
    }

    fn take(&mut self, mut packet: Packet, frame: Option<u32>, path: Path, out: &mut Output) -> Result<()> {
        let stream = packet.stream;
        let refused = |why: PacketError| Error::Packet { stream, why };
        self.fill.admit(stream).map_err(refused)?;
        self.rebase(&mut packet);
        self.repackage(&mut packet)?;
        self.fill.complete(&mut packet, frame, path, &mut self.notes).map_err(refused)?;
        match (path, &mut self.order) {
            (Path::Interleaved, Some(order)) => {
                order.push(packet, frame);
                self.release(false, out)
            }
            _ => self.send(&mut packet, frame, out),
        }
    }

    /// Converts the packet's times to the base that the muxer chose for its stream.
    fn rebase(&self, packet: &mut Packet) {
        if let (Some(stream), Some(declared)) = (self.streams.get(packet.stream), self.declared.get(packet.stream))
            && packet.time_base != stream.time_base
        {
            let from = if packet.time_base == TimeBase::OF_STREAM { *declared } else { packet.time_base };
            packet.rescale(from, stream.time_base);
        }
    }

    fn repackage(&mut self, packet: &mut Packet) -> Result<()> {
        let Some(package) = self.packages.get_mut(packet.stream) else { return Ok(()) };
        let before = packet.data.len();
        let changed = package.apply(packet)?;
        if changed {
            let at = self.fill.at(packet.stream);
            self.notes.fire("WF-24", at, || format!("repackaged from {before} to {} bytes", packet.data.len()));
        }
        Ok(())
    }

    /// Writes what may be written now; an error stops it, the packet is lost, the rest waits on (WF-47).
    #[inline(always)]
    fn release(&mut self, drain: bool, out: &mut Output) -> Result<()> {
        while let Some(mut packet) = self.order.as_mut().and_then(|order| order.pop(drain, &mut self.notes)) {
            let frame = self.order.as_ref().and_then(Order::frame);
            self.send(&mut packet, frame, out)?;
        }
        Ok(())
    }

    fn send(&mut self, packet: &mut Packet, frame: Option<u32>, out: &mut Output) -> Result<()> {
        let Some(written) = self.written.get_mut(packet.stream) else { return Ok(()) };
        let at = At { stream: packet.stream, packet: *written };
        self.shift.apply(packet, self.order.iter().flat_map(Order::waiting), at, &mut self.notes);
        match frame {
            Some(samples) => self.muxer.frame(packet, samples, out)?,
            None => self.muxer.packet(packet, out)?,
        }
        *written = written.saturating_add(1);
        Ok(())
    }
}
