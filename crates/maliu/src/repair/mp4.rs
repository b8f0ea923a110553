//! MP4 files: what can be read is written anew with its index in front; a lost index is rebuilt from the media data.
//!
//! ```text
//!   top-level boxes ─┬─ movie ─▶ offsets checked ─▶ packets ──────────────────────────────┬─▶ copy ─▶ faststart MP4
//!                    └─ none ──▶ walk: NAL units by their lengths, audio by its syntax ───┘
//! ```

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use maliu_core::{
    output::{Output, Reach},
    stream::StreamInfo,
    writer::PacketWriter,
};

use super::{Error, LeftOut, Mended, Options, Report, Scratch, until_it_stays};
use crate::{
    blocking::Reader,
    copy::{self, Feed, Inputs, Jumps, Map, Step},
    formats::mp4::FORMAT,
    io::Source,
    mp4::TopLevel,
};

mod like;
mod movie;
mod rebuild;
mod units;
mod walk;

pub use like::{Like, Track};
pub use units::{MakeSplit, Split};

/// Settings of the muxer: the index in front, and nothing that depends on the time of writing.
const WRITTEN: &[(&str, &str)] = &[("faststart", "1"), ("hybrid", "0"), ("strict", "-1")];

type Open<'a, S> = &'a mut dyn FnMut() -> io::Result<S>;

/// Mends the MP4 file that `open` opens until mending changes nothing.
pub(super) fn mend<S: Source + Send + 'static>(open: Open<'_, S>, options: &Options) -> Result<Mended, Error> {
    let (kept, report) = pass(open, options)?;
    let kept = until_it_stays(kept, |kept| pass(&mut || kept.read(), options).map(|(again, _)| again))?;
    Ok(Mended { kept, report, unread: None })
}

fn pass<S: Source + Send + 'static>(open: Open<'_, S>, options: &Options) -> Result<(Scratch, Report), Error> {
    let boxes = TopLevel::of(&mut open().map_err(Error::Open)?).map_err(Error::Open)?;
    let (feeds, mut report, cut) = match boxes.has_movie() {
        true => movie::feeds(open, &boxes)?,
        false => rebuild::feeds(open, &boxes, options)?,
    };
    let kept = Scratch::beside(options.beside.as_deref()).map_err(Error::Keep)?;
    write(feeds, &kept, &mut report)?;
    report.cut = cut.load(Ordering::Relaxed);
    Ok((kept, report))
}

/// Inputs with their streams, what is known of the repair, and the count of cut packets.
type Feeds = (Vec<(Feed, Vec<StreamInfo>)>, Report, Cut);

/// Packets that were left out because the file ends within them.
type Cut = Arc<std::sync::atomic::AtomicU64>;

/// Copies all streams that MP4 can carry.
fn write(feeds: Vec<(Feed, Vec<StreamInfo>)>, kept: &Scratch, report: &mut Report) -> Result<(), Error> {
    let settings = WRITTEN.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut options = copy::Options { copy_times: report.early == 0, settings, ..copy::Options::default() };
    options.jumps = Some(Jumps::Pass);
    let mut carried = Vec::new();
    for (input, (_, streams)) in feeds.iter().enumerate() {
        for (index, stream) in streams.iter().enumerate() {
            carried.push(stream.clone());
            match PacketWriter::start(&FORMAT, &[("strict", "-1")], &carried, &mut Output::new(Reach::Insert)) {
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
    let inputs = Inputs::open(feeds.into_iter().map(|(feed, _)| feed), &FORMAT, options).map_err(failed)?;
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
fn streams<S: Source>(reader: &mut Reader<S>) -> Result<Vec<StreamInfo>, Error> {
    reader.start().map_err(Error::Read)?;
    Ok(reader.streams().to_vec())
}
