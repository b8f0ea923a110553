//! Packets → pages: of about a second, one logical stream for each stream, written in the order in which they end.
//!
//! ```text
//!   link: first pages, further headers, pages of data, last pages │ link: the same with other serial numbers │ …
//! ```
//!
//! A packet that brings another configuration, and tags that change, begin a further link of a chain; times go on.

use alloc::{boxed::Box, format, vec::Vec};

use super::{SETTINGS, mapping::Mapping};
use crate::{
    error::{Error, Result},
    format::{Muxer, mark},
    output::Output,
    packet::Packet,
    settings::{self, Settings},
    stream::{Codec, Media, Metadata, StreamInfo},
    time::Ticks,
};

mod track;
use track::Track;

/// Makes the muxer.
pub(super) fn make(pairs: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    let mut settings = Settings::new(pairs, SETTINGS);
    let page = settings.duration("page_duration")?.unwrap_or(Ticks(1_000_000));
    let serial = settings.number("serial_offset", 0, i64::from(u32::MAX) - 64)?.unwrap_or(1);
    settings.finish()?;
    if !(0..=60_000_000).contains(&page.0) {
        return Err(settings::refused("page_duration", "not between 0 and 60 s".into()));
    }
    let (page, serial) = (page.0, u32::try_from(serial).unwrap_or(1));
    Ok(Box::new(Ogg { page, serial, vendor: "maliu".into(), ..Ogg::default() }))
}

#[derive(Default)]
struct Ogg {
    /// µs of a page, at most.
    page: i64,
    /// The number of the next logical stream.
    serial: u32,
    tracks: Vec<Track>,
    has_video: bool,
    /// The program that comments name.
    vendor: alloc::string::String,
    /// µs by which all times are moved, so that no position is below 0.
    lead: Option<Ticks>,
    /// Tags that a further link is to have.
    retagged: bool,
}

impl Ogg {
    fn next_serial(&mut self) -> u32 {
        let serial = self.serial;
        self.serial = serial.wrapping_add(1);
        serial
    }

    /// Writes the headers of a link: all first pages in front, video's before audio's.
    fn headers(&mut self, out: &mut Output) {
        let firsts: Vec<_> =
            self.tracks.iter().map(|track| track.mapping.first_packets(&self.vendor, &track.tags)).collect();
        for video in [true, false] {
            let of_kind = self.tracks.iter_mut().zip(&firsts).filter(|(track, _)| track.is_video == video);
            of_kind.for_each(|(track, packets)| track.headers(packets.iter().take(1), true, out));
        }
        for (track, packets) in self.tracks.iter_mut().zip(&firsts) {
            track.headers(packets.iter().skip(1), false, out);
        }
    }

    /// Ends the link, and begins another in which this stream has another mapping.
    fn chain(&mut self, mut changed: Option<(usize, Mapping)>, out: &mut Output) {
        self.end_link(out);
        for index in 0..self.tracks.len() {
            let serial = self.next_serial();
            let mapping = changed.take_if(|(at, _)| *at == index).map(|(_, mapping)| mapping);
            if let Some(track) = self.tracks.get_mut(index) {
                track.begin_link(mapping, serial);
            }
        }
        self.headers(out);
    }

    /// Writes the last page of each logical stream.
    fn end_link(&mut self, out: &mut Output) {
        let mut order: Vec<usize> = (0..self.tracks.len()).collect();
        order.sort_by_key(|index| self.tracks.get(*index).and_then(|track| track.span).map(|(_, end)| end));
        for index in order {
            if let Some(track) = self.tracks.get_mut(index) {
                track.finish(out);
            }
        }
    }

    /// Writes the open page of a track, and in front of it those of others that end before it.
    fn flush_one(&mut self, index: usize, out: &mut Output) {
        let Some((_, end)) = self.tracks.get(index).and_then(|track| track.span) else { return };
        self.flush_until(end, Some(index), out);
        if let Some(track) = self.tracks.get_mut(index) {
            track.flush(out);
        }
    }

    /// Writes the open pages that end before a time, in that order.
    fn flush_until(&mut self, time: i64, but: Option<usize>, out: &mut Output) {
        let mut due: Vec<(i64, usize)> = (self.tracks.iter().enumerate())
            .filter(|(index, _)| Some(*index) != but)
            .filter_map(|(index, track)| Some((track.span?.1, index)))
            .filter(|(end, _)| *end < time)
            .collect();
        due.sort_unstable();
        for (_, index) in due {
            if let Some(track) = self.tracks.get_mut(index) {
                track.flush(out);
            }
        }
    }
}

impl Muxer for Ogg {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        self.vendor = metadata.value("encoder").unwrap_or("maliu").into();
        for stream in streams.iter_mut() {
            let Some(mapping) = Mapping::of(stream) else { return Err(refused(stream.codec)) };
            stream.time_base = mapping.info.time_base;
            let tags = stream.metadata.with_those_of(metadata);
            let track = Track::new(mapping, self.next_serial(), tags);
            self.has_video |= track.is_video;
            self.tracks.push(track);
        }
        self.headers(out);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let Some(track) = self.tracks.get(packet.stream) else { return Ok(()) };
        let changed = changed(track, packet)?;
        if changed.is_some() || core::mem::take(&mut self.retagged) {
            self.chain(changed.map(|mapping| (packet.stream, mapping)), out);
        }
        let (page, has_video) = (self.page, self.has_video);
        let Some(track) = self.tracks.get_mut(packet.stream) else { return Ok(()) };
        let place = track.place(packet, &mut self.lead);
        let mark = mark(packet, track.base, track.is_video, has_video);
        if track.is_full(place, page) || track.is_video && packet.is_key() && !track.is_empty() {
            self.flush_one(packet.stream, out);
        }
        if let Some(track) = self.tracks.get_mut(packet.stream) {
            track.put(packet, place, mark, out);
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<()> {
        self.flush_until(i64::MAX, None, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        self.end_link(out);
        Ok(())
    }

    fn metadata(&mut self, metadata: &Metadata) {
        for track in &mut self.tracks {
            let tags = metadata.with_those_of(&Metadata::default());
            self.retagged |= track.tags != tags;
            track.tags = tags;
        }
    }
}

fn refused(codec: Codec) -> Error {
    let why = match codec {
        Codec::Opus | Codec::Vorbis | Codec::Theora | Codec::Flac | Codec::Speex => {
            format!("{codec} without its headers is not carried")
        }
        codec => format!("{codec} is not carried; opus, vorbis, flac, speex, theora, and vp8 are"),
    };
    Error::mux("ogg", why)
}

/// The mapping for the configuration that a packet brings; `None` when it brings none but the one in use.
fn changed(track: &Track, packet: &Packet) -> Result<Option<Mapping>> {
    let before = &track.mapping.info;
    let Some(config) = packet.side.new_config().filter(|config| **config != before.config) else { return Ok(None) };
    let mut info = before.clone();
    (info.codec, info.config) = (super::mapping::codec_of(config, before.codec), config.clone());
    if let (Media::Audio(audio), Some((rate, channels))) = (&mut info.media, packet.side.new_audio()) {
        audio.set_sample_rate(rate);
        audio.set_channels(channels);
    }
    match Mapping::of(&info) {
        Some(mapping) if mapping.info.media.kind() == before.media.kind() => Ok(Some(mapping)),
        Some(mapping) => {
            Err(Error::mux("ogg", format!("a stream of {} does not become {}", before.codec, mapping.info.codec)))
        }
        None => Err(refused(info.codec)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_last_between_nothing_and_a_minute() {
        for (value, fits) in [("0", true), ("60", true), ("-1", false), ("60.1", false)] {
            assert_eq!(make(&[("page_duration", value)]).is_ok(), fits, "{value}");
        }
    }
}
