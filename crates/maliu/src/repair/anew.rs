//! Matroska, WebM, Ogg and FLAC files: every packet that is whole, in a new file of the same format.

use std::{io, sync::atomic::Ordering};

use maliu_core::{
    format::{Event, Format},
    reader::PacketReader,
    remark::Remark,
};

use super::{
    Error, Mended, Options, Report, Scratch,
    copied::{Cut, Whole, Written, streams, write},
    until_it_stays,
};
use crate::{
    blocking::Reader,
    copy::{Feed, Jumps},
    error,
    formats::{self, matroska::WEBM},
    io::{Source, patiently},
};

type Open<'a, S> = &'a mut dyn FnMut() -> io::Result<S>;

/// Formats that are mended so.
pub(super) const FORMATS: &[&Format] =
    &[&formats::matroska::FORMAT, &WEBM, &formats::ogg::FORMAT, &formats::flac::FORMAT];

/// Nothing of it depends on the time of writing.
const SETTINGS: &[(&str, &str)] = &[("bitexact", "1")];

/// Mends the file of this format that `open` opens until mending changes nothing.
pub(super) fn mend<S: Source + Send + 'static>(
    open: Open<'_, S>,
    format: &'static Format,
    options: &Options,
) -> Result<Mended, Error> {
    let mut to = Written { format, settings: SETTINGS, jumps: Jumps::Restamp };
    let (found, unread) = survey(open, reader_of(format))?;
    let mut report = found.clone();
    let mut kept = pass(open, to, options, &mut report)?;
    if format.name == WEBM.name && !report.streams.is_empty() {
        // It held more than WebM may.
        (to.format, report) = (&formats::matroska::FORMAT, found);
        kept = pass(open, to, options, &mut report)?;
    }
    // A cut packet is counted as damaged.
    report.ends_early &= report.damaged == 0;
    let kept = until_it_stays(kept, |kept| pass(&mut || kept.read(), to, options, &mut Report::default()))?;
    Ok(Mended { kept, report, unread })
}

/// The format as which a file of this one is read.
fn reader_of(format: &'static Format) -> &'static Format {
    if format.name == WEBM.name { &formats::matroska::FORMAT } else { format }
}

/// Reads all of it, for what is to be reported.
fn survey<S: Source>(open: Open<'_, S>, format: &'static Format) -> Result<(Report, Option<io::Error>), Error> {
    let source = open().map_err(Error::Open)?;
    let mut reader = Reader::of(source, format, &[]).map_err(Error::Read)?;
    reader.keep_remarks();
    let (mut report, mut packets) = (Report::default(), 0u64);
    let unread = loop {
        let event = patiently(|| reader.next_event(), error::Error::is_not_yet);
        for remark in reader.take_remarks() {
            match remark.kind {
                Remark::Cut { .. } => report.ends_early = true,
                _ => report.note(remark),
            }
        }
        match event {
            Ok(Event::End) => break None,
            Ok(Event::Packet(_)) => packets += 1,
            Ok(_) => {}
            Err(error) if packets == 0 => return Err(Error::Read(error)),
            Err(error::Error::Io(error)) => break Some(error),
            Err(error) => {
                report.stopped = Some(error.to_string());
                break None;
            }
        }
    };
    if packets == 0 {
        return Err(Error::NoPacket);
    }
    report.unstated = format.name != "ogg" && reader.duration().is_none();
    Ok((report, unread))
}

fn pass<S: Source + Send + 'static>(
    open: Open<'_, S>,
    to: Written,
    options: &Options,
    report: &mut Report,
) -> Result<Scratch, Error> {
    let format = reader_of(to.format);
    let make = format.demuxer.ok_or(Error::NoPacket)?;
    let demuxer = make(&[]).map_err(|error| Error::Read(error::Error::Media(error)))?;
    let cut = Cut::default();
    let whole = Whole { demuxer, cut: Cut::clone(&cut) };
    let source = open().map_err(Error::Open)?;
    let mut reader = Reader::with(source, PacketReader::with(format, Box::new(whole)));
    let streams = streams(&mut reader)?;
    let kept = Scratch::beside(options.beside.as_deref()).map_err(Error::Keep)?;
    write(vec![(Feed::from(reader).named("the damaged file"), streams)], to, &kept, report)?;
    report.damaged = cut.load(Ordering::Relaxed);
    Ok(kept)
}
