//! The streams of a file as its tags reveal them: which tag belongs to which, and what is known of each (FLD-10).

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::num::NonZeroU32;

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    format::Event,
    stream::{self, Codec, Kind, Media, StreamInfo},
    time::TimeBase,
};

/// Most streams one file may open; track ids and codec numbers in garbage would open any number.
pub(super) const MAX_STREAMS: usize = 128;

/// Streams of most files.
const USUAL_STREAMS: usize = 2;

/// Key that distinguishes the streams of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The codec.
    pub codec: Codec,
    /// The container's number of a codec without a name, else 0.
    pub tag: u32,
    /// Bits per sample of legacy audio, else 0.
    pub bits: u16,
    /// Track of a multitrack tag.
    pub track: u8,
}

/// A stream and what is still to be said about it.
#[derive(Debug)]
pub(super) struct Stream {
    key: Key,
    /// Facts that are known.
    pub info: StreamInfo,
    /// Whether a packet or a configuration has settled its facts.
    pub settled: bool,
    /// Configuration to travel with the next packet (FLD-21).
    pub next_config: Option<Bytes>,
    /// Colour information to travel with the next packet.
    pub next_colors: Option<Bytes>,
    /// The last configuration, for an audit.
    pub last_config: Option<Bytes>,
    /// Offset of the first packet that came without a configuration, for an audit.
    pub early: Option<u64>,
    /// Its NAL units stand behind start codes, and that was said.
    pub has_start_codes: bool,
    changed: bool,
}

impl Stream {
    /// Notes a change of [`Stream::info`], which will be returned before the next packet.
    pub(super) fn edit(&mut self) -> &mut StreamInfo {
        self.changed = true;
        &mut self.info
    }
}

/// Facts of streams in metadata, before they appear.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Promise {
    /// Bits per second.
    pub video_rate: Option<u64>,
    /// Bits per second.
    pub audio_rate: Option<u64>,
    /// Pictures per second.
    pub frame_rate: Option<(u32, u32)>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
}

/// All streams, in the order in which they appeared.
#[derive(Debug, Default)]
pub(super) struct Streams {
    all: Vec<Stream>,
    /// Facts in metadata.
    pub promise: Promise,
    any_changed: bool,
}

impl Streams {
    /// The stream of `key`, made if it is not there yet.
    ///
    /// # Errors
    /// [`Error::Limit`] past [`MAX_STREAMS`].
    pub(super) fn of(&mut self, key: Key) -> Result<usize> {
        match self.all.iter().position(|stream| stream.key == key) {
            Some(index) => Ok(index),
            None => self.add(key),
        }
    }

    /// The first stream of this kind and codec, if there is one.
    pub(super) fn first(&self, kind: Kind) -> Option<usize> {
        self.all.iter().position(|stream| stream.info.codec.kind() == kind)
    }

    /// The stream of this kind that carries text or data, made if there is none.
    ///
    /// # Errors
    /// [`Error::Limit`] past [`MAX_STREAMS`].
    pub(super) fn timed(&mut self, codec: Codec) -> Result<usize> {
        match self.first(codec.kind()) {
            Some(index) => Ok(index),
            None => self.add(Key { codec, tag: 0, bits: 0, track: 0 }),
        }
    }

    /// Another stream, whatever is there.
    ///
    /// # Errors
    /// [`Error::Limit`] past [`MAX_STREAMS`].
    pub(super) fn add(&mut self, key: Key) -> Result<usize> {
        if self.all.len() >= MAX_STREAMS {
            return Err(Error::Limit { what: "streams of an FLV file (MAX_STREAMS)", limit: MAX_STREAMS as u64 });
        }
        let promise = self.promise;
        let media = match key.codec.kind() {
            Kind::Audio => Media::Audio(stream::Audio { bits_per_sample: key.bits, ..Default::default() }),
            Kind::Video => Media::Video(stream::Video { frame_rate: promise.frame_rate, ..Default::default() }),
            Kind::Subtitle => Media::Subtitle,
            Kind::Data | Kind::Attachment => Media::Data,
        };
        let mut info = StreamInfo::new(key.codec, TimeBase::MILLIS, media);
        info.codec_tag = NonZeroU32::new(key.tag);
        info.bit_rate = match key.codec.kind() {
            Kind::Audio => promise.audio_rate,
            Kind::Video => promise.video_rate,
            _ => None,
        }
        .filter(|rate| *rate > 0);
        let stream = Stream {
            key,
            info,
            settled: false,
            next_config: None,
            next_colors: None,
            last_config: None,
            early: None,
            has_start_codes: false,
            changed: true,
        };
        if self.all.is_empty() {
            self.all.reserve_exact(USUAL_STREAMS);
        }
        self.all.push(stream);
        self.any_changed = true;
        Ok(self.all.len() - 1)
    }

    /// The stream at `index`, to be looked at.
    pub(super) fn peek(&self, index: usize) -> Option<&Stream> {
        self.all.get(index)
    }

    /// The stream at `index`, to be changed.
    pub(super) fn edit(&mut self, index: usize) -> Option<&mut Stream> {
        self.any_changed = true;
        self.all.get_mut(index)
    }

    /// The last stream of this kind, if there is one.
    pub(super) fn last(&self, kind: Kind) -> Option<usize> {
        self.all.iter().rposition(|stream| stream.info.codec.kind() == kind)
    }

    /// The stream at `index`, for what is not told.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Stream> {
        self.all.get_mut(index)
    }

    /// The stream at `index`, if something waits for its next packet.
    pub(super) fn waiting(&mut self, index: usize) -> Option<&mut Stream> {
        self.all.get_mut(index).filter(|stream| stream.next_config.is_some() || stream.next_colors.is_some())
    }

    /// Tells of streams that are new or changed since the last time.
    #[inline]
    pub(super) fn announce(&mut self, events: &mut VecDeque<Event>) {
        if core::mem::take(&mut self.any_changed) {
            self.tell(events);
        }
    }

    fn tell(&mut self, events: &mut VecDeque<Event>) {
        for (index, stream) in self.all.iter_mut().enumerate() {
            if core::mem::take(&mut stream.changed) {
                events.push_back(Event::Stream(index, Box::new(stream.info.clone())));
            }
        }
    }
}
