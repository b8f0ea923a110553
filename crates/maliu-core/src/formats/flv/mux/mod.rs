//! The muxer: header, onMetaData, sequence headers, tags, end of sequence, and what is patched at the end (FLV-9…FLV-48).
//!
//! ```text
//!   start: header │ onMetaData │ sequence headers     packet: [sequence header] [onMetaData] tag
//!   finish: key frame index inserted │ end of sequence │ duration and filesize patched
//! ```

use alloc::{borrow::Cow, boxed::Box, format, vec::Vec};

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::{Muxer, Packaging},
    output::{Mark, Output, Reach},
    packet::Packet,
    stream::{Codec, Kind, Metadata, StreamInfo},
    time::{Ticks, TimeBase},
};

use super::{
    settings::Writing,
    tag::{self, MAX_BODY},
};

mod body;
mod config;
mod created;
mod keyframes;
mod onmetadata;
mod tags;
mod track;

use body::{Head, Part};
use keyframes::Keyframes;
use onmetadata::Places;
use tags::Tags;
use track::{Form, Track};

const AUDIO: u8 = 8;
const VIDEO: u8 = 9;
const SCRIPT: u8 = 18;

/// Longest step between two Speex tags that players accept, in ms (FLV-34).
const MAX_SPEEX_STEP: u32 = 160;

/// The muxer of one file.
#[derive(Debug)]
pub(super) struct FlvMuxer {
    options: Writing,
    tracks: Vec<Track>,
    streams: Vec<StreamInfo>,
    tags: Tags,
    /// The first dts, negated; unknown before the first packet that has one.
    delay: Option<i64>,
    /// End of the last packet shown, from the first dts, in ms.
    duration: i64,
    /// The onMetaData written last.
    written: Option<Written>,
    keyframes: Keyframes,
    /// Offset of the first tag behind the sequence headers.
    data_start: u64,
    has_video: bool,
}

/// An onMetaData tag in the file.
#[derive(Clone, Copy, Debug)]
struct Written {
    body: u64,
    size: usize,
    places: Places,
}

/// Makes a muxer from settings.
pub(super) fn make(settings: &[(&str, &str)]) -> Result<Box<dyn Muxer>> {
    Ok(new(Writing::parse(settings)?))
}

/// Makes a muxer from typed options.
pub(super) fn new(options: Writing) -> Box<dyn Muxer> {
    Box::new(FlvMuxer {
        options,
        tracks: Vec::new(),
        streams: Vec::new(),
        tags: Tags::default(),
        delay: None,
        duration: 0,
        written: None,
        keyframes: Keyframes::default(),
        data_start: 0,
        has_video: false,
    })
}

fn refused(why: impl Into<Cow<'static, str>>) -> Error {
    Error::mux("flv", why)
}

fn too_large(size: usize) -> Error {
    refused(format!("a tag of {size} bytes; its size field has 24 bits (FLV-36)"))
}

impl FlvMuxer {
    /// Appends a tag: head with stream id 0, the start of its body, payload, PreviousTagSize (FLV-40).
    fn tag(&self, mark: Mark, kind: u8, time: u32, mut head: Head, payload: &Bytes, out: &mut Output) -> Result<()> {
        let size = head.len() + payload.len();
        if size > MAX_BODY {
            return Err(too_large(size));
        }
        let tail = ((size + tag::HEAD) as u32).to_be_bytes();
        out.append_between(mark, head.framed(tag::head(kind, size, time, 0)), payload, &tail);
        Ok(())
    }

    fn write_metadata(&mut self, time: u32, out: &mut Output) -> Result<()> {
        // New tags in mid-file: what is known at the end goes to the first onMetaData, where readers look for it.
        let later = self.written.is_some() && !self.options.compat;
        let options = Writing { index: self.options.index && !later, ..self.options };
        let reach = if later { Reach::Append } else { out.reach() };
        let made = onmetadata::write(&self.streams, &self.tracks, self.tags.current(), &options, reach);
        let (body, size) = (out.position().saturating_add(tag::HEAD as u64), made.body.len());
        self.tag(Mark::Header, SCRIPT, time, Head::default(), &Bytes::from(made.body), out)?;
        if !later {
            self.written = Some(Written { body, size, places: made.places.moved(body) });
        }
        if self.options.compat {
            self.keyframes.restart();
        }
        Ok(())
    }

    /// FLV-19: the tags that configure a track.
    fn write_config(&mut self, index: usize, time: u32, out: &mut Output) -> Result<()> {
        let (Some(track), Some(stream)) = (self.tracks.get(index), self.streams.get(index)) else { return Ok(()) };
        let kind = if track.kind == Kind::Video { VIDEO } else { AUDIO };
        if let Some(config) = config::of(track, stream, &self.options) {
            self.tag(Mark::Header, kind, time, Head::of_part(track, Part::Config), &config, out)?;
        }
        if let Some(channels) = channels(track) {
            self.tag(Mark::Header, kind, time, Head::of_part(track, Part::Channels), &channels, out)?;
        }
        Ok(())
    }

    /// The rules that refuse a packet, before anything of it is written.
    fn check(&self, packet: &Packet, track: &Track) -> Result<()> {
        if track.kind == Kind::Audio && packet.data.is_empty() && self.options.compat {
            return Err(refused("audio without data (FLV-24)"));
        }
        let dts = packet.dts.map_or(i64::MIN, |dts| dts.0);
        if self.delay.is_some_and(|delay| dts < delay.wrapping_neg()) {
            return Err(refused("a packet earlier than the first one (FLV-26)"));
        }
        let timed = matches!(track.codec, Codec::H264 | Codec::Mpeg4 | Codec::H265 | Codec::H266);
        if timed && packet.pts.is_none() {
            return Err(refused(format!("{} without a pts (FLV-27)", track.codec)));
        }
        let adts = matches!(*packet.data, [0xff, b, _, ..] if b & 0xf0 == 0xf0);
        if track.codec == Codec::Aac && adts {
            return Err(refused("AAC with ADTS headers; packaging=1 takes them off (FLV-33)"));
        }
        Ok(())
    }

    /// FLV-25: a configuration that differs from the stream's. Without one, H.264 and HEVC bring it in their packets.
    fn new_config(&self, packet: &Packet, track: &Track) -> Option<Bytes> {
        let bare = track.config.is_empty() && !self.options.compat;
        if !(bare || packet.side.new_config().is_some()) || !config::may_change(track) {
            return None;
        }
        let given = packet.side.new_config().filter(|config| !config.is_empty() && **config != track.config);
        match given {
            Some(config) => Some(config.clone()),
            None if bare => match track.codec {
                Codec::H264 | Codec::H265 => config::in_band(track.codec, &packet.data),
                _ => None,
            },
            None => None,
        }
    }

    fn write_media(&mut self, packet: &Packet, head: Head, time: u32, out: &mut Output) -> Result<()> {
        let Some(track) = self.tracks.get(packet.stream) else { return Ok(()) };
        let kind = track.kind;
        let repackaged = match track.form {
            Form::Script if track.codec == Codec::Text => Some(Bytes::from(body::text(&packet.data))),
            Form::Script => None,
            _ => config::payload(track, &packet.data, &self.options),
        };
        let number = match kind {
            Kind::Video => VIDEO,
            Kind::Audio => AUDIO,
            _ => SCRIPT,
        };
        // FLV-30: the mark's time in µs, from the field's 32 bits.
        let at = Some(Ticks(i64::from(time) * 1000));
        let starts = packet.is_key() && (kind == Kind::Video || !self.has_video);
        let mark = if starts { Mark::Key { time: at } } else { Mark::Body { time: at } };
        self.tag(mark, number, time, head, repackaged.as_ref().unwrap_or(&packet.data), out)?;
        if matches!(kind, Kind::Video | Kind::Audio) {
            let end =
                packet.pts.zip(self.delay).map(|(pts, delay)| Ticks(delay) + pts + packet.duration.unwrap_or_default());
            self.duration = end.map_or(self.duration, |end| self.duration.max(end.0));
        }
        let Some(track) = self.tracks.get_mut(packet.stream) else { return Ok(()) };
        let last = track.last.unwrap_or(time);
        if track.codec == Codec::Speex && time.saturating_sub(last) > MAX_SPEEX_STEP {
            out.warn("a Speex packet of more than 8 frames; Flash players cannot play it (FLV-34)");
        }
        // FLV-35: the end of sequence stands at the highest time, not at the last one.
        track.last = Some(last.max(time));
        Ok(())
    }

    /// FLV-42.
    fn note(&mut self, packet: &Packet, start: u64, out: &Output) {
        let size = out.position().saturating_sub(start);
        match self.tracks.get(packet.stream).map(|track| track.kind) {
            Some(Kind::Audio) => self.keyframes.audio(size),
            Some(Kind::Video) => {
                let time = if self.options.compat {
                    let video = self.streams.iter().find_map(StreamInfo::as_video);
                    let rate =
                        video.and_then(|video| video.frame_rate).map_or(0.0, |(n, d)| f64::from(n) / f64::from(d));
                    self.keyframes.counted_time(rate)
                } else {
                    packet.dts.map_or(0.0, |dts| dts.0 as f64 / 1000.0)
                };
                self.keyframes.video(size, start, packet.is_key(), time);
            }
            _ => {}
        }
    }
}

impl Muxer for FlvMuxer {
    fn start(&mut self, streams: &mut [StreamInfo], metadata: &Metadata, out: &mut Output) -> Result<()> {
        self.tracks = track::of(streams, &self.options)?;
        if self.options.index && self.options.no_metadata {
            return Err(refused("a key frame index needs the metadata that no_metadata leaves out (FLV-46)"));
        }
        if self.options.index && out.reach() < Reach::Insert {
            return Err(refused("a key frame index needs an output into which bytes can be inserted"));
        }
        streams.iter_mut().for_each(|stream| stream.time_base = TimeBase::MILLIS);
        self.streams = streams.to_vec();
        let has = |kind| self.tracks.iter().any(|track| track.kind == kind);
        let (audio, video) = (has(Kind::Audio), has(Kind::Video));
        let flags = if audio { 4 } else { 0 } | u8::from(video);
        self.has_video = video;
        if self.tracks.iter().any(|track| track.codec == Codec::Vp6) {
            out.warn("VP6 in FLV is shown upside down");
        }
        let header = [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0];
        out.append(Mark::Header, [Bytes::copy_from_slice(&header)]);
        self.tags.start(metadata);
        if !self.options.no_metadata {
            self.write_metadata(0, out)?;
        }
        for index in 0..self.tracks.len() {
            self.write_config(index, 0, out)?;
        }
        self.data_start = out.position();
        Ok(())
    }

    fn packet(&mut self, packet: &Packet, out: &mut Output) -> Result<()> {
        let Some(track) = self.tracks.get(packet.stream) else {
            return Err(refused(format!("no stream {}", packet.stream)));
        };
        self.check(packet, track)?;
        let head = Head::of_packet(track, packet);
        let size = head.len() + packet.data.len();
        if size > MAX_BODY {
            return Err(too_large(size));
        }
        // The time field holds 32 bits of the dts, of which the top one is dropped (FLV-28).
        let (start, time) = (out.position(), packet.dts.map_or(0, |dts| dts.0 as u32));
        let changed = self.new_config(packet, track);
        self.delay = self.delay.or(packet.dts.map(|dts| dts.0.wrapping_neg()));
        if let (Some(config), Some(track)) = (changed, self.tracks.get_mut(packet.stream)) {
            track.config = config;
            self.write_config(packet.stream, time, out)?;
        }
        if self.tags.take_change() {
            self.write_metadata(time, out)?;
        }
        if !packet.side.is_empty() {
            self.write_colors(packet, time, out)?;
        }
        self.write_media(packet, head, time, out)?;
        if self.options.index {
            self.note(packet, start, out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<()> {
        let mut places = self.written.map(|written| written.places).unwrap_or_default();
        if let (Some(written), Some(index)) = (self.written, &places.index) {
            self.keyframes.insert(index, written.body, written.size, self.options.compat, out);
        }
        if !self.options.no_sequence_end {
            self.write_ends(out)?;
        }
        if let Some(index) = places.index {
            let size = out.position().saturating_sub(self.data_start);
            out.overwrite(index.data_size, Bytes::copy_from_slice(&(size as f64).to_be_bytes()));
        }
        if let Some((duration_at, size_at)) = places.totals.take().filter(|_| !self.options.no_metadata) {
            put_number(duration_at, self.duration as f64 / 1000.0, out);
            put_number(size_at, out.position() as f64, out);
        }
        Ok(())
    }

    /// H.264 and H.265 come as they are: the parameter sets in them are looked at before they get lengths.
    fn packaging(&self, stream: &StreamInfo) -> Packaging {
        if stream.codec == Codec::Aac { Packaging::RawAac } else { Packaging::AsIs }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        self.tags.change(metadata);
    }
}

impl FlvMuxer {
    /// FLV-62: colour information that travels with a packet of an enhanced track.
    fn write_colors(&mut self, packet: &Packet, time: u32, out: &mut Output) -> Result<()> {
        let colors = packet.side.opaque().iter().find(|(kind, _)| *kind == super::SIDE_COLORS);
        let track = self.tracks.get(packet.stream).filter(|track| track.is_enhanced() && track.kind == Kind::Video);
        if let (Some((_, colors)), Some(track)) = (colors, track) {
            self.tag(Mark::Header, VIDEO, time, Head::of_part(track, Part::Metadata), colors, out)?;
        }
        Ok(())
    }

    /// FLV-43: the end of sequence of each legacy H.264 or MPEG-4 stream.
    fn write_ends(&mut self, out: &mut Output) -> Result<()> {
        let legacy = |track: &Track| match (track.form, track.codec) {
            (Form::Legacy(number), Codec::H264 | Codec::Mpeg4) => Some((number, track.last)),
            _ => None,
        };
        let ends: Vec<_> = self.tracks.iter().filter_map(legacy).collect();
        for (number, last) in ends {
            // FFmpeg 5.1 names H.264 for MPEG-4 too, and gives a stream without packets the time -1.
            let number = if self.options.compat { 7 } else { number };
            let time = last.unwrap_or(if self.options.compat { u32::MAX } else { 0 });
            self.tag(Mark::Trailer, VIDEO, time, Head::end(number), &Bytes::new(), out)?;
        }
        Ok(())
    }
}

/// FLV-44: puts a number, with its type before it, where another one stands – if the sink can, or has not got it yet.
fn put_number(at: u64, value: f64, out: &mut Output) {
    let mut number = [0; 9];
    number[1..].copy_from_slice(&value.to_be_bytes());
    let at = at.saturating_sub(1);
    if out.reach() >= Reach::Overwrite {
        out.overwrite(at, Bytes::copy_from_slice(&number));
    } else {
        out.amend(at, &number);
    }
}

/// FLV-63: the channels of enhanced audio: native order with a mask, or a count alone.
fn channels(track: &Track) -> Option<Bytes> {
    let (count, mask) = track.channels;
    let count =
        u8::try_from(count).ok().filter(|count| *count > 0 && track.kind == Kind::Audio && track.is_enhanced())?;
    let [m3, m2, m1, m0] = mask.to_be_bytes();
    Some(match mask {
        0 => Bytes::copy_from_slice(&[0, count]),
        _ => Bytes::copy_from_slice(&[1, count, m3, m2, m1, m0]),
    })
}
