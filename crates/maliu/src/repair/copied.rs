//! A copy of all packets that are whole into a new file.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use maliu_core::{
    error::Result as CoreResult,
    format::{Demuxer, Event, Format},
    input::Input,
    output::{Output, Reach},
    packet::Flags,
    stream::StreamInfo,
    time::{Ticks, TimeBase},
    writer::PacketWriter,
};

use super::{Error, LeftOut, Report, Scratch};
use crate::{
    blocking::Reader,
    copy::{self, Feed, Inputs, Jumps, Map, Step},
    io::Source,
};

/// Inputs with their streams, what is known of the repair, and the count of cut packets.
pub(super) type Feeds = (Vec<(Feed, Vec<StreamInfo>)>, Report, Cut);

/// Packets that were left out because the file ends within them.
pub(super) type Cut = Arc<AtomicU64>;

/// Leaves out packets that are damaged.
pub(super) struct Whole {
    pub demuxer: Box<dyn Demuxer>,
    pub cut: Cut,
}

impl Demuxer for Whole {
    fn poll(&mut self, input: &mut Input) -> CoreResult<Poll<Event>> {
        loop {
            match self.demuxer.poll(input)? {
                Poll::Ready(Event::Packet(packet)) if packet.flags.has(Flags::CORRUPT) => {
                    self.cut.fetch_add(1, Ordering::Relaxed);
                }
                polled => return Ok(polled),
            }
        }
    }

    fn duration(&self) -> Option<(Ticks, TimeBase)> {
        self.demuxer.duration()
    }
}

/// A format and the settings with which it is written.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub format: &'static Format,
    pub settings: &'static [(&'static str, &'static str)],
    /// Policy where times jump.
    pub jumps: Jumps,
}

/// Copies all streams that the format can carry.
pub(super) fn write(
    feeds: Vec<(Feed, Vec<StreamInfo>)>,
    to: Written,
    kept: &Scratch,
    report: &mut Report,
) -> Result<(), Error> {
    let Written { format, settings, jumps } = to;
    let owned = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut options = copy::Options { copy_times: report.early == 0, settings: owned, ..copy::Options::default() };
    options.jumps = Some(jumps);
    let mut carried = Vec::new();
    for (input, (_, streams)) in feeds.iter().enumerate() {
        for (index, stream) in streams.iter().enumerate() {
            carried.push(stream.clone());
            match PacketWriter::start(format, &[("strict", "-1")], &carried, &mut Output::new(Reach::Insert)) {
                Ok(_) => options.map.extend(format!("{input}:{index}").parse::<Map>()),
                Err(error) => {
                    carried.pop();
                    report.streams.push(LeftOut { stream: index, packets: 0, why: error.to_string() });
                }
            }
        }
    }
    if carried.is_empty() {
        return Err(Error::NoPacket);
    }
    let sink = kept.write().map_err(Error::Keep)?;
    let inputs = Inputs::open(feeds.into_iter().map(|(feed, _)| feed), format, options).map_err(failed)?;
    let mut copy = inputs.start(sink).map_err(failed)?;
    let end = loop {
        match copy.step() {
            Ok(Step::End) => break Ok(()),
            Ok(Step::Refused(error)) => {
                let (count, first) = &mut report.refused;
                *count += 1;
                if first.is_empty() {
                    *first = error.to_string();
                }
            }
            Ok(Step::Done) => {}
            // The packets before the error are kept.
            Err(copy::Error::Read { error, .. }) => {
                report.stopped = Some(error.to_string());
                break Ok(());
            }
            Err(error) => break Err(error),
        }
    };
    let (copied, end) = copy.finish(end);
    report.leading += copied.streams.iter().map(|stream| stream.leading).sum::<u64>();
    report.back += copied.streams.iter().map(|stream| stream.moved).sum::<u64>();
    end.map(drop).map_err(failed)
}

fn failed(error: copy::Error) -> Error {
    match error {
        copy::Error::Read { error, .. } => Error::Read(error),
        copy::Error::Write(error) => Error::Write(error),
        copy::Error::NoStream { .. } | copy::Error::Map(_) => Error::NoPacket,
        error => Error::Write(crate::Error::Io(io::Error::other(error.to_string()))),
    }
}

/// The streams of a reader as they are known before its first packet.
pub(super) fn streams<S: Source>(reader: &mut Reader<S>) -> Result<Vec<StreamInfo>, Error> {
    reader.start().map_err(Error::Read)?;
    Ok(reader.streams().to_vec())
}
