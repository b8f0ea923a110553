//! Description of a stream: codec, configuration, time base, and the facts its kind of media needs.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;

use crate::time::{Ticks, TimeBase};

pub(crate) mod carried;
mod codec;
mod cover;
mod display;
mod facts;
mod layout;
pub mod limits;
pub use codec::{Codec, Kind};
pub use cover::Picture;
pub use facts::{Chapter, Color, Disposition, DolbyVision, Encryption, Hdr, MAX_CHAPTERS, Mastering};

/// One stream of a file or connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamInfo {
    /// The unit of all its times.
    pub time_base: TimeBase,
    /// How its packets are coded.
    pub codec: Codec,
    /// The container's own number for the codec; `None` when it has none.
    pub codec_tag: Option<NonZeroU32>,
    /// Codec configuration: AudioSpecificConfig, avcC/hvcC or Annex B parameter sets, …; empty when there is none.
    pub config: Bytes,
    /// Facts of its kind of media.
    pub media: Media,
    /// Time of its first packet, when the container says.
    pub start: Option<Ticks>,
    /// Its length, when the container says.
    pub duration: Option<Ticks>,
    /// Average bits per second, when the container says.
    pub bit_rate: Option<u64>,
    /// Codec profile as the codec numbers it.
    pub profile: Option<u8>,
    /// Whether it is an attachment (a font, a cover), which takes no packets.
    pub attachment: bool,
    /// The container's own number of the stream: a track id, a PID, a track number; `None` when it has none.
    pub id: Option<u32>,
    /// Language as the container says: ISO 639-2 letters or a BCP 47 tag; empty when it says nothing.
    pub language: String,
    /// Its role among the streams.
    pub disposition: Disposition,
    /// How its packets are encrypted; `None` when they are not, or were decrypted.
    pub encryption: Option<Box<Encryption>>,
    /// Tags of this stream.
    pub metadata: Metadata,
}

impl StreamInfo {
    /// A stream with nothing known but this.
    pub fn new(codec: Codec, time_base: TimeBase, media: Media) -> Self {
        Self {
            time_base,
            codec,
            codec_tag: None,
            config: Bytes::new(),
            media,
            start: None,
            duration: None,
            bit_rate: None,
            profile: None,
            attachment: false,
            id: None,
            language: String::new(),
            disposition: Disposition::NONE,
            encryption: None,
            metadata: Metadata::default(),
        }
    }

    /// An audio stream of `sample_rate` Hz; its times are counted in samples. 0 stands for an unknown rate or count.
    ///
    /// ```
    /// use maliu_core::stream::{Codec, StreamInfo};
    ///
    /// let info = StreamInfo::audio(Codec::Aac, 44_100, 2);
    /// assert_eq!(info.to_string(), "aac, 44100 Hz, stereo");
    /// ```
    pub fn audio(codec: Codec, sample_rate: u32, channels: u16) -> Self {
        let media = Media::Audio(Audio::new(sample_rate, channels));
        Self::new(codec, media.default_time_base(), media)
    }

    /// A video stream of `width`×`height` pixels; its times are counted in 1/90000 s unless
    /// [`StreamInfo::with_time_base`] sets another unit. 0 stands for an unknown size.
    pub fn video(codec: Codec, width: u32, height: u32) -> Self {
        let media = Media::Video(Video::new(width, height));
        Self::new(codec, media.default_time_base(), media)
    }

    /// The same stream with its times counted in `base`.
    #[must_use]
    pub fn with_time_base(mut self, base: TimeBase) -> Self {
        self.time_base = base;
        self
    }

    /// The same stream with this codec configuration.
    #[must_use]
    pub fn with_config(mut self, config: impl Into<Bytes>) -> Self {
        self.config = config.into();
        self
    }

    /// Stands for a number below one that was described, of which nothing was said.
    pub fn undescribed() -> Self {
        Self::new(Codec::Data, TimeBase::MILLIS, Media::Data)
    }

    /// Whether it is an attachment in name or in kind: no packet of it is ever written (WF-21).
    pub fn takes_no_packets(&self) -> bool {
        self.attachment || self.media.kind() == Kind::Attachment
    }

    /// Its audio facts, if it is audio.
    pub fn as_audio(&self) -> Option<&Audio> {
        match &self.media {
            Media::Audio(audio) => Some(audio),
            _ => None,
        }
    }

    /// Its video facts, if it is video.
    pub fn as_video(&self) -> Option<&Video> {
        match &self.media {
            Media::Video(video) => Some(video),
            _ => None,
        }
    }
}

/// Facts by kind of media.
#[derive(Clone, Debug, PartialEq)]
pub enum Media {
    /// Sound.
    Audio(Audio),
    /// Pictures.
    Video(Video),
    /// Text to be shown over pictures.
    Subtitle,
    /// Anything timed that is none of the others.
    Data,
    /// A file carried along.
    Attachment,
}

impl Media {
    /// Time base of its times unless set otherwise: samples, else 1/90000 s (WF-7).
    pub fn default_time_base(&self) -> TimeBase {
        match self {
            Self::Audio(audio) if audio.rate() > 0 => TimeBase::hz(audio.rate()),
            _ => TimeBase::hz(90_000),
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Audio(_) => Kind::Audio,
            Self::Video(_) => Kind::Video,
            Self::Subtitle => Kind::Subtitle,
            Self::Data => Kind::Data,
            Self::Attachment => Kind::Attachment,
        }
    }
}

/// Facts of an audio stream. Make one with [`Audio::new`] and set what else is known; 0 means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Audio {
    /// Samples per second and channel; `None` when unknown.
    pub sample_rate: Option<NonZeroU32>,
    /// Number of channels; `None` when unknown.
    pub channels: Option<NonZeroU16>,
    /// WAVE channel mask; 0 when unknown.
    pub channel_mask: u32,
    /// Samples per channel in each packet when that is constant.
    pub frame_size: u32,
    /// Bits per sample as the container says.
    pub bits_per_sample: u16,
    /// Bytes of the smallest decodable block.
    pub block_align: u32,
    /// Samples per channel that a decoder needs ahead of the first wanted one.
    pub preroll: u32,
    /// Samples per channel to drop at the very start (encoder delay), when known.
    pub delay: u32,
}

/// Facts of a video stream. Make one with [`Video::new`] and set what else is known.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Video {
    /// Width of the shown picture, in pixels; `None` when unknown.
    pub width: Option<NonZeroU32>,
    /// Height of the shown picture, in pixels; `None` when unknown.
    pub height: Option<NonZeroU32>,
    /// Most pictures that are decoded before one that is shown earlier.
    pub reorder: u8,
    /// Pictures per second as a fraction, when known.
    pub frame_rate: Option<(u32, u32)>,
    /// Shape of a pixel, width to height, when known.
    pub pixel_aspect: Option<(u32, u32)>,
    /// Level as the codec numbers it.
    pub level: Option<u8>,
    /// Degrees, clockwise and below 360, by which a player turns the picture for display.
    pub rotation: u16,
    /// Colours as the container states them.
    pub color: Option<Color>,
    /// Static metadata of high dynamic range, when the container states any.
    pub hdr: Option<Box<Hdr>>,
}

impl Audio {
    /// Audio of `sample_rate` Hz and `channels` channels; 0 stands for unknown.
    pub fn new(sample_rate: u32, channels: u16) -> Self {
        let mut audio = Self::default();
        audio.set_sample_rate(sample_rate);
        audio.set_channels(channels);
        audio
    }

    /// Samples per second, 0 when unknown: as containers store it.
    pub fn rate(&self) -> u32 {
        self.sample_rate.map_or(0, NonZeroU32::get)
    }

    /// Number of channels, 0 when unknown: as containers store it.
    pub fn channel_count(&self) -> u16 {
        self.channels.map_or(0, NonZeroU16::get)
    }

    /// Sets the sample rate in Hz; 0 for unknown.
    pub fn set_sample_rate(&mut self, rate: u32) {
        self.sample_rate = NonZeroU32::new(rate);
    }

    /// Sets the number of channels; 0 for unknown.
    pub fn set_channels(&mut self, channels: u16) {
        self.channels = NonZeroU16::new(channels);
    }
}

impl Video {
    /// Video of `width`×`height` pixels; 0 stands for unknown.
    pub fn new(width: u32, height: u32) -> Self {
        let mut video = Self::default();
        video.set_size(width, height);
        video
    }

    /// Width and height in pixels, 0 where unknown: as containers store them.
    pub fn size(&self) -> (u32, u32) {
        (self.width.map_or(0, NonZeroU32::get), self.height.map_or(0, NonZeroU32::get))
    }

    /// Sets width and height in pixels; 0 for unknown.
    pub fn set_size(&mut self, width: u32, height: u32) {
        (self.width, self.height) = (NonZeroU32::new(width), NonZeroU32::new(height));
    }
}

/// Ordered tags. Keys compare without case; setting one that exists moves it to the end (FLV-16).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: Vec<(String, String)>,
    pictures: Vec<Picture>,
    chapters: facts::Chapters,
    /// Bytes of memory that all of it takes.
    weight: usize,
}

/// Bytes that a tag counts for besides its key and value: two strings in a list that has grown to twice its length, and
/// the books of an allocator.
const ENTRY: usize = 4 * size_of::<String>() + 32;

fn entry_weight(key: &str, value: &str) -> usize {
    ENTRY.saturating_add(key.len()).saturating_add(value.len())
}

/// Most tags that are kept of one input.
pub const MAX_TAGS: usize = 1024;

impl Metadata {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.pictures.is_empty() && self.chapters.is_none()
    }

    /// The tags in order.
    pub fn entries(&self) -> &[(String, String)] {
        &self.entries
    }

    /// The pictures in order.
    pub fn pictures(&self) -> &[Picture] {
        &self.pictures
    }

    /// The value of `key`, compared without case.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// Sets `key`: an existing one is removed first, then the new one is appended. Beyond [`MAX_TAGS`], and where all
    /// tags would weigh more than [`limits::MAX_TAG_BYTES`], it is dropped.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        self.remove(&key);
        let weight = self.weight.saturating_add(entry_weight(&key, &value));
        if self.entries.len() < MAX_TAGS && weight <= limits::MAX_TAG_BYTES {
            self.weight = weight;
            self.entries.push((key, value));
        }
    }

    /// Removes `key`; the last entry takes its place, as the reference's dictionary does (FLV-16).
    pub fn remove(&mut self, key: &str) -> Option<String> {
        let at = self.entries.iter().position(|(k, _)| k.eq_ignore_ascii_case(key))?;
        let (key, value) = self.entries.swap_remove(at);
        self.weight = self.weight.saturating_sub(entry_weight(&key, &value));
        Some(value)
    }

    /// Bytes of memory: of keys, values, pictures and chapters, and of what keeps them.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The chapters in order.
    pub fn chapters(&self) -> &[Chapter] {
        self.chapters.as_ref().map_or(&[], |chapters| chapters)
    }

    /// Adds a chapter; beyond [`MAX_CHAPTERS`] and [`limits::MAX_TAG_BYTES`] it is dropped.
    pub fn add_chapter(&mut self, chapter: Chapter) {
        let weight = self.weight.saturating_add(entry_weight(&chapter.title, ""));
        let chapters = self.chapters.get_or_insert_default();
        if chapters.len() < MAX_CHAPTERS && weight <= limits::MAX_TAG_BYTES {
            self.weight = weight;
            chapters.push(chapter);
        }
    }

    /// Adds a picture; beyond the limits of [`Metadata::set`] its data is dropped, and then all of it.
    pub fn add_picture(&mut self, mut picture: Picture) {
        let facts = self.weight.saturating_add(entry_weight(&picture.mime, ""));
        if facts.saturating_add(picture.data.len()) > limits::MAX_TAG_BYTES {
            picture.data = Bytes::new();
        }
        let weight = facts.saturating_add(picture.data.len());
        if self.pictures.len() < MAX_TAGS && weight <= limits::MAX_TAG_BYTES {
            self.weight = weight;
            self.pictures.push(picture);
        }
    }
}
