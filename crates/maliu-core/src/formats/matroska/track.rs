//! Tracks: the stream that a TrackEntry becomes, and what its blocks need (RFC 9559 §5.1.4).

use alloc::string::String;

use crate::{
    stream::{Audio, Codec, Disposition, Encryption, Media, StreamInfo},
    syntax::ebml::{Elements, float, ids, text, unsigned},
    time::{Rounding, Ticks, TimeBase},
    timing::DecodingTimes,
};

use super::{
    codecs,
    encoding::Encoding,
    private,
    units::{base, frame_rate, samples},
    video,
};

/// Most tracks of one segment.
pub(super) const MAX_TRACKS: usize = 512;

/// Most bytes of private data.
const MAX_PRIVATE: usize = 1 << 20;

/// One track.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub number: u64,
    pub uid: u64,
    pub info: StreamInfo,
    pub encoding: Encoding,
    /// Nanoseconds of a frame; 0 when not stated.
    pub default_duration: u64,
    /// Nanoseconds that a decoder delays, which stored times hold.
    pub codec_delay: u64,
    /// Ticks of the track in a tick of the segment.
    pub scale: f64,
    pub order: DecodingTimes,
    /// Blocks hold decoding times: streams in the way of AVI.
    pub decoding_times: bool,
    /// Frames begin with the identifier and the settings of a cue, a line each (WebM's WebVTT).
    pub cue_heads: bool,
    /// A TrackOperation makes its pictures from other tracks.
    pub operation: bool,
    /// A remark on its frames was made.
    pub remarked: bool,
    /// Samples that a decoder makes before the first wanted one, which are still to be dropped.
    pub delay_left: u32,
}

/// TrackType.
const VIDEO: u64 = 1;
const AUDIO: u64 = 2;
const COMPLEX: u64 = 3;
const SUBTITLE: u64 = 17;

impl Track {
    /// The track in the body of a TrackEntry, of a segment of `scale` ns a tick; `None` without a number.
    pub(super) fn parse(body: &[u8], scale: u64) -> Option<Self> {
        let elements = Elements::new(body);
        let number = |id| elements.body_of(id).map(unsigned);
        let words = |id| elements.body_of(id).map(text);
        let track = number(ids::TRACK_NUMBER).filter(|number| *number > 0)?;
        let track_scale = elements.body_of(ids::TRACK_TIMESTAMP_SCALE).and_then(float);
        let track_scale = track_scale.filter(|scale| (0.01..1e6).contains(scale)).unwrap_or(1.0);
        let base = base((scale as f64 * track_scale + 0.5) as u64)?;
        let name = words(ids::CODEC_ID).unwrap_or_default();
        let encoding = elements.body_of(ids::CONTENT_ENCODINGS).map(Encoding::parse).unwrap_or_default();
        let kind = number(ids::TRACK_TYPE).unwrap_or(0);
        let mut info = stream(kind, &name, base, elements);
        info.id = u32::try_from(track).ok();
        info.language = language(words(ids::LANGUAGE_BCP47), words(ids::LANGUAGE));
        info.disposition = disposition(&number);
        if let Some(title) = words(ids::NAME).filter(|title| !title.is_empty()) {
            info.metadata.set("title", title);
        }
        if let Some(key) = &encoding.key_id {
            let mut id = [0; 16];
            id.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
            info.encryption = Some(alloc::boxed::Box::new(Encryption::new(*b"webm", id)));
        }
        let default_duration = number(ids::DEFAULT_DURATION).unwrap_or(0);
        if let Media::Video(video) = &mut info.media {
            video.frame_rate = frame_rate(default_duration);
        }
        let private = elements.body_of(ids::CODEC_PRIVATE).unwrap_or_default();
        let private = encoding.private(private.get(..MAX_PRIVATE).unwrap_or(private));
        private::configure(&mut info, &name, &private);
        let codec_delay = number(ids::CODEC_DELAY).unwrap_or(0);
        if let Media::Audio(audio) = &mut info.media {
            audio.delay = samples(codec_delay, audio.rate());
            audio.preroll = samples(number(ids::SEEK_PRE_ROLL).unwrap_or(0), audio.rate());
        }
        if info.codec.name() == "unknown" {
            info.metadata.set("codec_id", name.clone());
        }
        let delay_left = info.as_audio().map_or(0, |audio| audio.delay);
        let depth = info.as_video().map_or(0, |video| video.reorder);
        Some(Self {
            number: track,
            uid: number(ids::TRACK_UID).unwrap_or(0),
            info,
            encoding,
            default_duration,
            codec_delay,
            scale: track_scale,
            order: DecodingTimes::new(depth),
            decoding_times: name == "V_MS/VFW/FOURCC",
            cue_heads: name.starts_with("D_WEBVTT/"),
            operation: elements.body_of(ids::TRACK_OPERATION).is_some(),
            remarked: false,
            delay_left,
        })
    }

    /// Nanoseconds in ticks of the track, rounded like this.
    pub(super) fn ticks(&self, nanos: u64, rounding: Rounding) -> i64 {
        let nanos = Ticks(i64::try_from(nanos).unwrap_or(i64::MAX));
        TimeBase::NANOS.rescale(nanos, self.info.time_base, rounding).0
    }
}

fn audio(body: &[u8]) -> Audio {
    let elements = Elements::new(body);
    let rate = |id| elements.body_of(id).and_then(float).filter(|rate| (1.0..1e9).contains(rate));
    let stated = rate(ids::SAMPLING_FREQUENCY).unwrap_or(8000.0);
    let rate = rate(ids::OUTPUT_SAMPLING_FREQUENCY).unwrap_or(stated);
    let number = |id, default| elements.body_of(id).map_or(default, |body| unsigned(body).min(u16::MAX.into()) as u16);
    let mut audio = Audio::new((rate + 0.5) as u32, number(ids::CHANNELS, 1));
    audio.bits_per_sample = number(ids::BIT_DEPTH, 0);
    audio
}

/// BCP 47 counts before ISO 639-2 where it says more than a language; without both it is English (RFC 9559
/// §5.1.4.1.19). "Undetermined" is nothing.
fn language(tag: Option<String>, letters: Option<String>) -> String {
    let plain = |tag: &String| !tag.contains('-') && letters.as_ref().is_some_and(|letters| letters.len() == 3);
    let stated = tag.filter(|tag| !plain(tag)).or(letters.clone()).unwrap_or_else(|| "eng".into());
    let short: String = stated.chars().take(64).collect();
    if short == "und" { String::new() } else { short }
}

/// The stream of a track of this type, whose codec has this identifier.
fn stream(kind: u64, name: &str, base: TimeBase, elements: Elements<'_>) -> StreamInfo {
    let mut info = StreamInfo::new(Codec::Data, base, Media::Data);
    let mut bits = 0;
    info.media = match kind {
        VIDEO | COMPLEX => {
            let body = elements.body_of(ids::VIDEO).unwrap_or_default();
            Media::Video(video::parse(body, &mut info.metadata))
        }
        AUDIO => {
            let audio = audio(elements.body_of(ids::AUDIO).unwrap_or_default());
            bits = audio.bits_per_sample;
            Media::Audio(audio)
        }
        SUBTITLE => Media::Subtitle,
        _ => Media::Data,
    };
    let known = codecs::of_name(name, bits).filter(|codec| codec.kind() == info.media.kind());
    info.codec = known.unwrap_or(match kind {
        VIDEO | COMPLEX => Codec::UnknownVideo,
        AUDIO => Codec::UnknownAudio,
        SUBTITLE => Codec::Text,
        _ => Codec::Data,
    });
    info
}

/// Flags and their marks.
pub(super) const MARKS: &[(u32, Disposition)] = &[
    (ids::FLAG_FORCED, Disposition::FORCED),
    (ids::FLAG_HEARING_IMPAIRED, Disposition::HEARING_IMPAIRED),
    (ids::FLAG_VISUAL_IMPAIRED, Disposition::VISUAL_IMPAIRED),
    (ids::FLAG_TEXT_DESCRIPTIONS, Disposition::DESCRIPTIONS),
    (ids::FLAG_ORIGINAL, Disposition::ORIGINAL),
    (ids::FLAG_COMMENTARY, Disposition::COMMENT),
];

fn disposition(number: &impl Fn(u32) -> Option<u64>) -> Disposition {
    let default = number(ids::FLAG_DEFAULT).unwrap_or(1) != 0;
    let start = if default { Disposition::DEFAULT } else { Disposition::NONE };
    let set = MARKS.iter().filter(|(id, _)| number(*id).unwrap_or(0) != 0);
    set.fold(start, |all, (_, mark)| all | *mark)
}
