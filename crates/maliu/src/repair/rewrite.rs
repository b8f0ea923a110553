//! The second reading: packets with mended times into a new file.

use std::{io, mem};

use bytes::Bytes;
use maliu_core::{
    error::Error as MediaError,
    format::Event,
    formats,
    output::Reach,
    packet::Packet,
    stream::{Codec, Kind, StreamInfo},
    syntax::annexb::{self, Framing},
    writer::{PacketWriter, Plan},
};

use super::{
    Error, Options, Report, put,
    survey::{STRICT, Survey, is_config, is_whole},
    times::Times,
};
use crate::{
    blocking::{Pump, Reader},
    error,
    io::{Sink, Source, patiently},
};

/// A file being written.
pub(super) struct Rewrite {
    writer: PacketWriter,
    times: Times,
    /// By input stream.
    outputs: Vec<Option<usize>>,
    /// By output stream.
    lanes: Vec<Lane>,
    report: Report,
}

/// One output stream.
struct Lane {
    codec: Codec,
    /// Whether its configuration is a record by which each unit stands behind 4 bytes of length.
    lengths: bool,
    /// Whether a packet that can be decoded was met.
    begun: bool,
}

impl Rewrite {
    /// Starts the file that `survey` suggests.
    pub(super) fn start<S: Sink>(survey: &Survey, options: &Options, pump: &mut Pump<S>) -> Result<Self, Error> {
        let (chosen, left) = survey.chosen();
        if chosen.is_empty() {
            return Err(Error::NoKeyframe(left.into_iter().map(|left| left.why).collect()));
        }
        let index = survey.has_places(&chosen) && pump.output().reach() == Reach::Insert;
        let streams: Vec<StreamInfo> = chosen.iter().filter_map(|index| survey.streams.get(*index)).cloned().collect();
        let output = |index: usize| chosen.iter().position(|chosen| *chosen == index);
        let settings =
            [("add_keyframe_index", if index { "1" } else { "0" }), STRICT, ("avoid_negative_ts", "disabled")];
        let plan = Plan::new(&formats::flv::FORMAT, &settings, &survey.metadata);
        let writer = plan.start(&streams, pump.output()).map_err(|error| Error::Write(error.into()))?;
        let usual: Vec<_> = chosen.iter().map(|index| survey.usual(*index)).collect();
        let lane = |stream: &StreamInfo| Lane {
            codec: stream.codec,
            lengths: has_lengths(stream.codec, &stream.config),
            begun: stream.media.kind() != Kind::Video,
        };
        Ok(Self {
            writer,
            times: Times::new(&streams, &usual, options.max_gap),
            outputs: (0..survey.streams.len()).map(output).collect(),
            lanes: streams.iter().map(lane).collect(),
            report: Report { streams: left, ..Report::default() },
        })
    }

    /// Copies what can be read; returns why the source did not give the rest.
    pub(super) fn copy<R: Source, S: Sink>(
        &mut self,
        reader: &mut Reader<R>,
        pump: &mut Pump<S>,
    ) -> Result<Option<io::Error>, Error> {
        let unread = loop {
            let event = patiently(|| reader.next_event(), error::Error::is_not_yet);
            reader.take_remarks().into_iter().for_each(|remark| self.report.note(remark));
            match event {
                Ok(Event::Packet(mut packet)) => {
                    if self.takes(&mut packet) {
                        self.times.push(packet);
                        self.write(pump)?;
                    }
                }
                Ok(Event::End) => break None,
                Ok(_) => {}
                Err(error::Error::Io(error)) => break Some(error),
                Err(error) => {
                    self.report.stopped = Some(error.to_string());
                    break None;
                }
            }
        };
        self.times.end();
        self.write(pump)?;
        Ok(unread)
    }

    /// Writes the packets whose times are settled.
    fn write<S: Sink>(&mut self, pump: &mut Pump<S>) -> Result<(), Error> {
        while let Some(packet) = self.times.next() {
            match self.writer.write_interleaved(packet, pump.output()) {
                Ok(()) => {}
                Err(error @ (MediaError::Packet { .. } | MediaError::Mux { .. })) => {
                    let (count, first) = &mut self.report.refused;
                    if mem::replace(count, *count + 1) == 0 {
                        *first = error.to_string();
                    }
                }
                Err(error) => return Err(Error::Write(error.into())),
            }
            put(pump)?;
        }
        Ok(())
    }

    /// Gives the packet its place in the output; false for one that is left out.
    fn takes(&mut self, packet: &mut Packet) -> bool {
        if !is_whole(packet) {
            self.report.cut += 1;
            return false;
        }
        let Some(output) = self.outputs.get(packet.stream).copied().flatten() else { return false };
        let Some(lane) = self.lanes.get_mut(output) else { return false };
        packet.stream = output;
        if packet.side.new_config().is_some_and(|config| !is_config(lane.codec, config)) {
            self.report.configs += 1;
            packet.side.set_new_config(Bytes::new());
        }
        if let Some(config) = packet.side.new_config().filter(|config| !config.is_empty()) {
            lane.lengths = has_lengths(lane.codec, config);
        }
        let coded = matches!(lane.codec, Codec::H264 | Codec::H265);
        if coded && Framing::guess(&packet.data) == Framing::AnnexB {
            self.report.converted += 1;
            if lane.lengths {
                packet.data = annexb::to_lengths(&packet.data, Framing::AnnexB);
            }
        }
        lane.begun |= packet.is_key();
        self.report.leading += u64::from(!lane.begun);
        lane.begun
    }

    /// Completes the file.
    pub(super) fn close<S: Sink>(self, mut pump: Pump<S>) -> Result<Report, Error> {
        let Self { writer, times, mut report, .. } = self;
        let written: u64 = writer.written().iter().sum::<u64>() + writer.waiting().0 as u64;
        if written == 0 {
            return Err(Error::NoKeyframe(vec![report.refused.1]));
        }
        writer.finish(pump.output()).map_err(|error| Error::Write(error.into()))?;
        patiently(|| pump.finish(), error::Error::is_not_yet).map_err(Error::Write)?;
        (report.back, report.jumps, report.strays, report.below) = times.counts();
        Ok(report)
    }
}

fn has_lengths(codec: Codec, config: &[u8]) -> bool {
    let framing = match codec {
        Codec::H264 => Framing::of_h264(config),
        Codec::H265 => Framing::of_h265(config),
        _ => Framing::AnnexB,
    };
    framing == Framing::Lengths(4)
}
