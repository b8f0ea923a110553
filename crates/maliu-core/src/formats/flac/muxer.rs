//! Frames → a file with STREAMINFO and comments in front, whose sizes and counts are patched at the end.

use alloc::{boxed::Box, format, vec::Vec};

use bytes::Bytes;

use super::MARK;
use crate::{
    error::{Error, Result},
    format::{Muxer, mark},
    output::{Mark, Output, Reach},
    packet::Packet,
    settings::Settings,
    stream::{Codec, Metadata, StreamInfo},
    syntax::{
        flac::{self, Front, Header, STREAMINFO, StreamInfoBlock},
        vorbis_comment,
    },
    time::TimeBase,
};

/// Makes the muxer.
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    Settings::new(pairs, &[]).finish()?;
    Ok(Box::new(Flac::default()))
}

#[derive(Default)]
struct Flac {
    /// The body of STREAMINFO as it came, and its facts.
    info: Vec<u8>,
    facts: Option<StreamInfoBlock>,
    /// Whether the head can be written again.
    patched: bool,
    counts: Counts,
    numbers: Numbers,
    /// Whether another STREAMINFO came.
    changed: bool,
    /// Facts of all samples, stated by the STREAMINFO that came with a packet: how many there are, and their MD5.
    stated: Option<(u64, [u8; 16])>,
}

/// Numbers of frames that begin at 0 and never go back, as seeking needs it; gaps of the source stay.
#[derive(Default)]
struct Numbers {
    /// Taken from each number of the source; `None` before the first.
    shift: Option<i64>,
    /// The number behind the last frame.
    next: i64,
}

impl Numbers {
    /// The number of the next frame.
    fn take(&mut self, header: &Header) -> u64 {
        let given = i64::try_from(header.number).unwrap_or(0);
        let shift = self.shift.filter(|shift| given - shift >= self.next).unwrap_or(given - self.next);
        self.shift = Some(shift);
        let number = given - shift;
        self.next = number + if header.variable { i64::from(header.samples) } else { 1 };
        number.unsigned_abs()
    }
}

/// Facts of the frames so far.
#[derive(Default)]
struct Counts {
    samples: u64,
    /// Least and most bytes of a frame.
    bytes: Option<(u32, u32)>,
    /// Most samples of a frame, least of those but the last, and of the last.
    most: u32,
    least: Option<u32>,
    last: Option<u32>,
    /// Whether a frame was damaged, or the first one was not the first of its source.
    is_other: bool,
}

impl Counts {
    fn add(&mut self, frame: &[u8], header: Option<&Header>) {
        let size = u32::try_from(frame.len()).unwrap_or(u32::MAX).min(0xff_ffff);
        self.bytes = Some(self.bytes.map_or((size, size), |(least, most)| (least.min(size), most.max(size))));
        let Some(header) = header else {
            self.is_other = true;
            return;
        };
        self.is_other |= self.last.is_none() && header.number != 0;
        self.samples = self.samples.saturating_add(header.samples.into());
        if let Some(before) = self.last.replace(header.samples) {
            self.least = Some(self.least.map_or(before, |least| least.min(before)));
        }
        self.most = self.most.max(header.samples);
    }
}

impl Flac {
    fn head(&self, body: &[u8], last: bool) -> Vec<u8> {
        let kind = if last { 0x80 } else { 0 };
        [&MARK[..], &[kind, 0, 0, STREAMINFO as u8], body].concat()
    }

    /// STREAMINFO before the frames are known: without a count of samples and a checksum of them.
    fn open_info(&self) -> Vec<u8> {
        let mut body = self.info.clone();
        set_samples(&mut body, 0);
        if let Some(md5) = body.get_mut(18..) {
            md5.fill(0);
        }
        body
    }

    /// STREAMINFO of the frames that were written. The checksum of the samples holds when all of them were.
    fn final_info(&self) -> Vec<u8> {
        let Counts { samples, bytes, most, least, last, is_other } = self.counts;
        let mut body = self.info.clone();
        set_samples(&mut body, samples);
        let least = least.or(last).unwrap_or(0);
        // A header with a larger block size would be refused by what it says.
        let blocks = self.facts.as_ref().map_or((0, 0), |facts| facts.block);
        let (low, high) = if most == 0 || blocks.0 == blocks.1 && u32::from(blocks.1) >= most {
            blocks
        } else {
            (least.clamp(16, 65_535) as u16, most.clamp(16, 65_535) as u16)
        };
        let (small, large) = bytes.unwrap_or((0, 0));
        let front = [&low.to_be_bytes()[..], &high.to_be_bytes(), &tail(small), &tail(large)].concat();
        if let Some(field) = body.get_mut(..front.len()) {
            field.copy_from_slice(&front);
        }
        let same = self.facts.as_ref().is_some_and(|facts| facts.samples == 0 || facts.samples == samples);
        let stated = self.stated.filter(|(stated, _)| *stated == samples && !is_other && samples > 0);
        match (body.get_mut(18..), stated) {
            (Some(md5), Some((_, all))) => md5.copy_from_slice(&all),
            (Some(md5), None) if !same || is_other || self.changed => md5.fill(0),
            _ => {}
        }
        body
    }
}

/// The low 24 bits.
fn tail(value: u32) -> [u8; 3] {
    let [_, tail @ ..] = value.to_be_bytes();
    tail
}

/// Sets the 36 bits of the count of samples.
fn set_samples(body: &mut [u8], samples: u64) {
    let samples = if samples >> 36 == 0 { samples } else { 0 };
    if let Some([first, rest @ ..]) = body.get_mut(13..18) {
        *first = *first & 0xf0 | (samples >> 32) as u8;
        rest.copy_from_slice(&(samples as u32).to_be_bytes());
    }
}

impl Muxer for Flac {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        let refused = |why: &str| Error::mux("flac", format!("takes one FLAC stream{why}"));
        let [stream] = streams else { return Err(refused("")) };
        if stream.codec != Codec::Flac {
            return Err(refused(""));
        }
        let body = flac::stream_info(&stream.config).ok_or_else(|| refused(" with its STREAMINFO"))?;
        let facts = StreamInfoBlock::parse(body).ok_or_else(|| refused(" with a STREAMINFO that can be read"))?;
        stream.time_base = TimeBase::hz(facts.rate);
        (self.info, self.facts) = (body.to_vec(), Some(facts));
        self.patched = out.reach() != Reach::Append;
        let vendor = metadata.value("encoder").unwrap_or("maliu");
        let tags = stream.metadata.with_those_of(metadata);
        let comments = vorbis_comment::write(vendor, &tags);
        let Ok(size) = u32::try_from(comments.len()) else { return Err(refused(" and tags of up to 16 MiB")) };
        if size > 0xff_ffff {
            return Err(refused(" and tags of up to 16 MiB"));
        }
        let pictures = tags.pictures().iter().filter(|picture| !picture.data.is_empty());
        let blocks: Vec<_> = pictures.map(vorbis_comment::picture_block).collect();
        let kind = |kind: u8, behind: usize| if behind == blocks.len() { 0x80 | kind } else { kind };
        let mut head = self.head(&self.open_info(), false);
        head.push(kind(4, 0));
        head.extend_from_slice(&tail(size));
        head.extend_from_slice(&comments);
        for (index, block) in blocks.iter().enumerate() {
            head.push(kind(6, index + 1));
            head.extend_from_slice(&tail(block.len() as u32));
            head.extend_from_slice(block);
        }
        out.append(Mark::Header, [Bytes::from(head)]);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        if let Some(config) = packet.side.new_config() {
            self.change(config)?;
        }
        let header = match flac::front(&packet.data) {
            Front::Header(header) => Some(header),
            _ => None,
        };
        let number = header.as_ref().map(|header| (header, self.numbers.take(header)));
        let moved = number.filter(|(header, number)| *number != header.number);
        let renumbered = moved.and_then(|(header, number)| flac::renumbered(&packet.data, header, number));
        let frame = renumbered.map_or_else(|| packet.data.clone(), Bytes::from);
        self.counts.add(&frame, header.as_ref());
        let base = self.facts.as_ref().map_or(TimeBase::MICROS, |facts| TimeBase::hz(facts.rate));
        out.append(mark(packet, base, false, false), [frame]);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        if self.patched && self.counts.last.is_some() {
            out.overwrite(0, Bytes::from(self.head(&self.final_info(), false)));
        }
        Ok(())
    }
}

impl Flac {
    /// Takes another STREAMINFO, whose frames must be of the same kind.
    fn change(&mut self, config: &[u8]) -> Result<()> {
        let kind = |facts: &StreamInfoBlock| (facts.rate, facts.channels, facts.bits);
        let other = flac::stream_info(config).and_then(StreamInfoBlock::parse);
        if other.as_ref().map(kind) != self.facts.as_ref().map(kind) {
            return Err(Error::mux("flac", "rate, channels and bits cannot change on the way"));
        }
        self.changed |= self.facts != other;
        self.stated = other.map(|facts| (facts.samples, facts.md5));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_0_and_go_on_behind_a_join() {
        let header =
            |number, variable| Header { size: 7, variable, number, samples: 4096, rate: None, channels: 2, bits: None };
        let mut numbers = Numbers::default();
        let taken = [70, 71, 74, 0, 1, 5].map(|number| numbers.take(&header(number, false)));
        assert_eq!(taken, [0, 1, 4, 5, 6, 10]);
        let mut numbers = Numbers::default();
        assert_eq!([8192, 0, 4096].map(|number| numbers.take(&header(number, true))), [0, 4096, 8192]);
    }
}
