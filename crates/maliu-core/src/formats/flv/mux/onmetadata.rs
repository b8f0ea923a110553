//! The onMetaData tag and where in it the numbers stand that are only known at the end (FLV-13…FLV-18).

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::{
    output::Reach,
    stream::{Codec, Kind, Metadata, StreamInfo},
    syntax::amf::amf0::Writer,
};

use super::{
    super::settings::Writing,
    track::{Form, Track},
};

/// A metadata tag's body, and offsets in it.
#[derive(Clone, Debug, Default)]
pub(super) struct OnMetaData {
    /// The body.
    pub body: Vec<u8>,
    /// Where the 8 bytes of each number to be patched stand in the body.
    pub places: Places,
}

/// Offsets of numbers; in the body first, in the file once it is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    /// `duration` and `filesize`.
    pub totals: Option<(u64, u64)>,
    /// The key frame index, if there is one.
    pub index: Option<IndexPlaces>,
}

/// Offsets that the key frame index needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IndexPlaces {
    /// `datasize`.
    pub data_size: u64,
    /// `videosize`.
    pub video_size: u64,
    /// `audiosize`.
    pub audio_size: u64,
    /// `lasttimestamp`.
    pub last_time: u64,
    /// `lastkeyframetimestamp`.
    pub last_key_time: u64,
    /// `lastkeyframelocation`.
    pub last_key_at: u64,
    /// The content of `keyframes`.
    pub keyframes: u64,
}

/// Keys that are the muxer's own (FLV-16).
const OWN_KEYS: &[&str] = &[
    "width",
    "height",
    "videodatarate",
    "framerate",
    "videocodecid",
    "audiodatarate",
    "audiosamplerate",
    "audiosamplesize",
    "stereo",
    "audiocodecid",
    "duration",
    "onMetaData",
    "datasize",
    "lasttimestamp",
    "totalframes",
    "hasAudio",
    "hasVideo",
    "hasCuePoints",
    "hasMetadata",
    "hasKeyframes",
];

/// The member that holds the index: its name, and the start of an object.
pub(super) const KEYFRAMES: &[u8] = b"\0\x09keyframes\x03";

/// A member of the same length for a file without an index: false.
pub(super) const NO_KEYFRAMES: &[u8] = b"\0\x08hasIndex\x01\0";

const _: () = assert!(KEYFRAMES.len() == NO_KEYFRAMES.len());

/// Writes the body. Of several streams of a kind the first is described.
pub(super) fn write(
    streams: &[StreamInfo],
    tracks: &[Track],
    tags: &Metadata,
    options: &Writing,
    reach: Reach,
) -> OnMetaData {
    let mut entries = Entries::default();
    entries.out.text(b"onMetaData");
    let count_at = entries.out.mixed_array(0);
    // Fields that cannot be patched later are left out; FFmpeg 5.1 writes zeros.
    let promises = !options.no_totals && (options.compat || reach >= Reach::Overwrite);
    let mut totals = (0, 0);
    if promises || (!options.no_totals && options.duration >= 1_000_000) {
        totals.0 = entries.number("duration", (options.duration / 1_000_000) as f64);
    }
    let first = |kind| streams.iter().zip(tracks).find(move |(_, track)| track.kind == kind);
    if let Some((stream, track)) = first(Kind::Video) {
        video(&mut entries, stream, track);
    }
    if let Some((stream, track)) = first(Kind::Audio) {
        audio(&mut entries, stream, track);
    }
    if streams.iter().any(|stream| matches!(stream.media.kind(), Kind::Data | Kind::Subtitle)) {
        entries.number("datastream", 0.0);
    }
    for (key, value) in tags.entries().iter().filter(|(key, _)| !OWN_KEYS.contains(&key.as_str())) {
        entries.key(key);
        entries.out.text(value.as_bytes());
    }
    if promises {
        totals.1 = entries.number("filesize", 0.0);
    }
    let index = options.index.then(|| {
        let has = |kind| first(kind).is_some();
        index(&mut entries, has(Kind::Video), has(Kind::Audio))
    });
    entries.out.end();
    let mut body = entries.out.bytes;
    if let Some(place) = body.get_mut(count_at..count_at + 4) {
        place.copy_from_slice(&entries.count.to_be_bytes());
    }
    OnMetaData { body, places: Places { totals: promises.then_some(totals), index } }
}

fn video(entries: &mut Entries, stream: &StreamInfo, track: &Track) {
    let Some(video) = stream.as_video() else { return };
    let (width, height) = video.size();
    entries.number("width", f64::from(width));
    entries.number("height", f64::from(height));
    entries.number("videodatarate", stream.bit_rate.unwrap_or(0) as f64 / 1024.0);
    if let Some((num, den)) = video.frame_rate.filter(|(num, den)| *num > 0 && *den > 0) {
        entries.number("framerate", f64::from(num) / f64::from(den));
    }
    entries.number("videocodecid", codec_id(stream, track));
}

fn audio(entries: &mut Entries, stream: &StreamInfo, track: &Track) {
    let Some(audio) = stream.as_audio() else { return };
    entries.number("audiodatarate", stream.bit_rate.unwrap_or(0) as f64 / 1024.0);
    entries.number("audiosamplerate", f64::from(audio.rate()));
    entries.number("audiosamplesize", if stream.codec == Codec::PcmU8 { 8.0 } else { 16.0 });
    entries.key("stereo");
    entries.out.bool(audio.channel_count() == 2);
    entries.number("audiocodecid", codec_id(stream, track));
}

/// The codec's number, or its FourCC as a number.
fn codec_id(stream: &StreamInfo, track: &Track) -> f64 {
    match track.form {
        Form::Enhanced(fourcc) => f64::from(u32::from_be_bytes(fourcc)),
        // MP3 at 8 kHz has a number of its own.
        Form::Legacy(flags) if flags >> 4 == 14 => 14.0,
        _ => f64::from(stream.codec_tag.map_or(0, NonZeroU32::get)),
    }
}

/// FLV-17: placeholders, and the start of `keyframes` without its end: that stands behind what is inserted.
fn index(entries: &mut Entries, video: bool, audio: bool) -> IndexPlaces {
    let mut places = IndexPlaces::default();
    for (key, value) in [
        ("hasVideo", video),
        ("hasKeyframes", true),
        ("hasAudio", audio),
        ("hasMetadata", true),
        ("canSeekToEnd", true),
    ] {
        entries.key(key);
        entries.out.bool(value);
    }
    places.data_size = entries.number("datasize", 0.0);
    places.video_size = entries.number("videosize", 0.0);
    places.audio_size = entries.number("audiosize", 0.0);
    places.last_time = entries.number("lasttimestamp", 0.0);
    places.last_key_time = entries.number("lastkeyframetimestamp", 0.0);
    places.last_key_at = entries.number("lastkeyframelocation", 0.0);
    entries.out.bytes.extend_from_slice(KEYFRAMES);
    entries.count += 1;
    places.keyframes = entries.out.bytes.len() as u64;
    places
}

/// Members of the array, counted.
#[derive(Default)]
struct Entries {
    out: Writer,
    count: u32,
}

impl Entries {
    fn key(&mut self, key: &str) {
        self.out.key(key.as_bytes());
        self.count += 1;
    }

    /// Writes a number; returns where its 8 bytes stand.
    fn number(&mut self, key: &str, value: f64) -> u64 {
        self.key(key);
        self.out.number(value);
        self.out.bytes.len() as u64 - 8
    }
}

impl Places {
    /// The same places when the body stands at `at`.
    pub(super) fn moved(self, at: u64) -> Self {
        let moved = |place: u64| place.saturating_add(at);
        Self {
            totals: self.totals.map(|(duration, size)| (moved(duration), moved(size))),
            index: self.index.map(|index| IndexPlaces {
                data_size: moved(index.data_size),
                video_size: moved(index.video_size),
                audio_size: moved(index.audio_size),
                last_time: moved(index.last_time),
                last_key_time: moved(index.last_key_time),
                last_key_at: moved(index.last_key_at),
                keyframes: moved(index.keyframes),
            }),
        }
    }
}
