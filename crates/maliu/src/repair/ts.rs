//! Transport streams: mended packet by packet, not taken apart.

use std::io::{self, BufWriter, Write};

use maliu_core::{
    format::Event,
    formats::mpegts::{
        FORMAT,
        mend::{Mender, Survey},
    },
    input::Input,
    stream::StreamInfo,
};

use super::{Error, Mended, Options, Report, Scratch, until_it_stays};
use crate::{
    blocking::{self, Reader},
    io::{Source, is_not_yet, patiently},
};

/// Bytes of a file that show whether it is a transport stream.
pub(super) const HEAD: usize = 64 << 10;

type Open<'a, S> = &'a mut dyn FnMut() -> io::Result<S>;

/// Mends the transport stream that `open` opens until mending changes nothing.
pub(super) fn mend<S: Source + Send + 'static>(open: Open<'_, S>, options: &Options) -> Result<Mended, Error> {
    let (kept, report, unread) = pass(open, options)?;
    let kept = until_it_stays(kept, |kept| pass(&mut || kept.read(), options).map(|(again, ..)| again))?;
    Ok(Mended { kept, report, unread })
}

fn pass<S: Source + Send + 'static>(
    open: Open<'_, S>,
    options: &Options,
) -> Result<(Scratch, Report, Option<io::Error>), Error> {
    let mut survey = Survey::new();
    let unread = read(open().map_err(Error::Open)?, |input| {
        survey.read(input);
        Ok(())
    })?;
    if survey.packet_size() == 0 {
        return Err(Error::NoPacket);
    }
    let streams = if survey.lacks_map() { streams(open)? } else { Vec::new() };
    let kept = Scratch::beside(options.beside.as_deref()).map_err(Error::Keep)?;
    let mut file = BufWriter::new(kept.open().map_err(Error::Keep)?);
    let (mut mender, mut out) = (Mender::new(survey.plan(&streams)), Vec::new());
    read(open().map_err(Error::Open)?, |input| {
        mender.read(input, &mut out);
        file.write_all(&out)?;
        out.clear();
        Ok(())
    })?;
    file.flush().map_err(Error::Keep)?;
    let report = Report { transport: Some(mender.report().clone()), ..Report::default() };
    Ok((kept, report, unread))
}

/// Feeds `source` to its end; returns why it did not give all of it.
fn read<S: Source>(
    mut source: S,
    mut each: impl FnMut(&mut Input) -> io::Result<()>,
) -> Result<Option<io::Error>, Error> {
    let (mut input, block) = (Input::new(), source.block_size());
    loop {
        let mut read_at = |at: u64, buf: &mut [u8]| source.read_at(at, buf);
        let fed = patiently(|| blocking::feed(&mut input, block, &mut read_at), is_not_yet);
        let unread = fed.err();
        if unread.is_some() {
            input.end();
        }
        each(&mut input).map_err(Error::Keep)?;
        if input.ended() {
            return Ok(unread);
        }
    }
}

/// The streams, by the maps that came and by their content.
fn streams<S: Source + Send + 'static>(open: Open<'_, S>) -> Result<Vec<StreamInfo>, Error> {
    let source = open().map_err(Error::Open)?;
    let mut reader = Reader::of(source, &FORMAT, &[]).map_err(Error::Read)?;
    // An input that cannot be read on shows in the second reading.
    while let Ok(event) = patiently(|| reader.next_event(), crate::error::Error::is_not_yet) {
        if event == Event::End {
            break;
        }
    }
    Ok(reader.streams().to_vec())
}
