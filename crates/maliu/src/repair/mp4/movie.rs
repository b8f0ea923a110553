//! A file whose movie can be read: its packets, once the offsets in its tables are found to be right.

use maliu_core::{
    format::Event,
    packet::Flags,
    reader::PacketReader,
    time::{Rounding, TimeBase},
};

use super::{super::copied::Whole, Cut, Error, Feed, Feeds, Open, Report};
use crate::{
    blocking::Reader,
    formats::mp4::FORMAT,
    io::{Source, patiently},
    mp4::{TopLevel, is_chain, length_size},
};

/// Packets whose content is looked at.
const LOOK: usize = 48;

/// The packets of the file.
pub(super) fn feeds<S: Source + Send + 'static>(open: Open<'_, S>, boxes: &TopLevel) -> Result<Feeds, Error> {
    let shift = shift(open, boxes)?;
    let early = early(open, shift)?;
    let report = Report { offsets: shift, early, ..Report::default() };
    let cut = Cut::default();
    let mut reader = reader(open, shift, &cut)?;
    let streams = super::streams(&mut reader)?;
    Ok((vec![(Feed::from(reader).named("the damaged file"), streams)], report, cut))
}

/// A reader of the file with `shift` added to the offsets of its chunks.
fn reader<S: Source>(open: Open<'_, S>, shift: i64, cut: &Cut) -> Result<Reader<S>, Error> {
    let make = FORMAT.demuxer.ok_or(Error::NoPacket)?;
    let media = |error| Error::Read(crate::Error::Media(error));
    let demuxer = make(&[("chunk_shift", &shift.to_string())]).map_err(media)?;
    let whole = Whole { demuxer, cut: Cut::clone(cut) };
    let source = open().map_err(Error::Open)?;
    Ok(Reader::with(source, PacketReader::with(&FORMAT, Box::new(whole))))
}

/// The number to add to the offsets of chunks: 0 unless video is no chain of NAL units where the tables say it is, and
/// is one elsewhere, as after a box in front was added, removed or moved without them.
fn shift<S: Source>(open: Open<'_, S>, boxes: &TopLevel) -> Result<i64, Error> {
    let Some(tables) = good(open, 0)? else { return Ok(0) };
    if tables.bad == 0 {
        return Ok(0);
    }
    let signed = |offset: u64| i64::try_from(offset).unwrap_or(i64::MAX);
    let movie = boxes.movie().map_or(0, |movie| signed(movie.end - movie.start));
    let media = boxes.media().into_iter().map(|(body, _)| signed(body).saturating_sub(signed(tables.lowest)));
    for shift in media.chain([movie, movie.saturating_neg()]).filter(|shift| *shift != 0) {
        if good(open, shift)?.is_some_and(|looked| looked.bad == 0 && looked.packets > 0) {
            return Ok(shift);
        }
    }
    Ok(0)
}

/// How far before the time 0 the first packets are presented, in µs; 0 where none is.
fn early<S: Source>(open: Open<'_, S>, shift: i64) -> Result<i64, Error> {
    let mut reader = reader(open, shift, &Cut::default())?;
    reader.start().map_err(Error::Read)?;
    let (mut first, mut packets) = (0, 0);
    while packets < LOOK {
        match patiently(|| reader.next_event(), crate::Error::is_not_yet) {
            Ok(Event::Packet(packet)) => {
                packets += 1;
                let shown = packet.pts.filter(|_| !packet.flags.has(Flags::DISCARD));
                let micros = shown.map(|time| packet.time_base.rescale(time, TimeBase::MICROS, Rounding::Near).0);
                first = first.min(micros.unwrap_or(0));
            }
            Ok(Event::End) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(first.saturating_neg())
}

/// Findings about the first packets.
struct Looked {
    packets: usize,
    /// Those that are no chain of units.
    bad: usize,
    /// Where the first one in the file stands.
    lowest: u64,
}

/// Looks at the first packets; `None` where nothing can be said of them.
fn good<S: Source>(open: Open<'_, S>, shift: i64) -> Result<Option<Looked>, Error> {
    let mut reader = reader(open, shift, &Cut::default())?;
    reader.start().map_err(Error::Read)?;
    let video: Vec<Option<u8>> = reader.streams().iter().map(length_size).collect();
    if video.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut looked = Looked { packets: 0, bad: 0, lowest: u64::MAX };
    while looked.packets < LOOK {
        match patiently(|| reader.next_event(), crate::Error::is_not_yet) {
            Ok(Event::Packet(packet)) => {
                looked.lowest = looked.lowest.min(packet.position.unwrap_or(u64::MAX));
                if let Some(size) = video.get(packet.stream).copied().flatten() {
                    looked.packets += 1;
                    looked.bad += usize::from(!is_chain(&packet, size));
                }
            }
            Ok(Event::End) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(Some(looked))
}
