//! One compressed frame, picture or access unit with its times: what demuxers give and muxers take.
//!
//! ```
//! use maliu_core::{packet::Packet, time::{Ticks, TimeBase}};
//!
//! let packet = Packet::new(0, Ticks(44_100), TimeBase::hz(44_100), vec![0; 4]);
//! assert_eq!(packet.rescaled(TimeBase::MILLIS).pts, Some(Ticks(1000)));
//! ```

use alloc::{boxed::Box, vec::Vec};
use core::ops;

use bytes::Bytes;

use crate::{
    error::Error,
    time::{Rounding, Ticks, TimeBase},
};

/// One unit of one stream. Its times are in its own [`Packet::time_base`].
///
/// A reader stamps the base of the stream on every packet, and a writer converts from it, so that packets can go from
/// any reader to any writer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Packet {
    /// Index of the stream it belongs to.
    pub stream: usize,
    /// The unit of its times; [`TimeBase::OF_STREAM`] when it is the one that the stream was declared with.
    pub time_base: TimeBase,
    /// When it is presented; `None` when unknown.
    pub pts: Option<Ticks>,
    /// When it is decoded; `None` when unknown.
    pub dts: Option<Ticks>,
    /// How long it lasts; `None` when unknown.
    pub duration: Option<Ticks>,
    /// Marks: keyframe, damaged, to be discarded.
    pub flags: Flags,
    /// Side data.
    pub side: SideData,
    /// Offset of its first byte in the input, if it came from one.
    pub position: Option<u64>,
    /// The payload, shared with the input it came from.
    pub data: Bytes,
}

impl Packet {
    /// A packet of `data` in stream `stream`, decoded and presented at `time`, in ticks of `time_base`.
    pub fn new(stream: usize, time: Ticks, time_base: TimeBase, data: impl Into<Bytes>) -> Self {
        Self::of(stream, data).at(time).with_time_base(time_base)
    }

    /// A packet of `data` in stream `stream`, without times, in the unit that the stream was declared with.
    ///
    /// ```
    /// use maliu_core::{packet::Packet, time::Ticks};
    ///
    /// let packet = Packet::of(0, vec![0; 4]).with_pts(Ticks(80)).with_dts(Ticks(40)).with_key(true);
    /// assert!(packet.is_key() && packet.duration.is_none());
    /// ```
    pub fn of(stream: usize, data: impl Into<Bytes>) -> Self {
        Self { stream, data: data.into(), ..Self::default() }
    }

    /// The same packet in stream `stream`.
    #[must_use]
    pub fn with_stream(mut self, stream: usize) -> Self {
        self.stream = stream;
        self
    }

    /// The same packet decoded and presented at `time`; `None` for unknown.
    #[must_use]
    pub fn at(mut self, time: impl Into<Option<Ticks>>) -> Self {
        self.pts = time.into();
        self.dts = self.pts;
        self
    }

    /// The same packet presented at `pts`; `None` for unknown.
    #[must_use]
    pub fn with_pts(mut self, pts: impl Into<Option<Ticks>>) -> Self {
        self.pts = pts.into();
        self
    }

    /// The same packet decoded at `dts`; `None` for unknown.
    #[must_use]
    pub fn with_dts(mut self, dts: impl Into<Option<Ticks>>) -> Self {
        self.dts = dts.into();
        self
    }

    /// The same packet with this duration; `None` for unknown.
    #[must_use]
    pub fn with_duration(mut self, duration: impl Into<Option<Ticks>>) -> Self {
        self.duration = duration.into();
        self
    }

    /// The same times, counted in `time_base`: [`Packet::rescaled`] converts them instead.
    #[must_use]
    pub fn with_time_base(mut self, time_base: TimeBase) -> Self {
        self.time_base = time_base;
        self
    }

    /// The same packet with these marks and no others.
    #[must_use]
    pub fn with_flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// The same packet with [`Flags::KEY`] or without, and no other mark.
    #[must_use]
    pub fn with_key(self, key: bool) -> Self {
        self.with_flags(Flags::key(key))
    }

    /// The same packet with this side data.
    #[must_use]
    pub fn with_side(mut self, side: SideData) -> Self {
        self.side = side;
        self
    }

    /// The same packet with its first byte at this offset of the input; `None` if it came from none.
    #[must_use]
    pub fn with_position(mut self, position: impl Into<Option<u64>>) -> Self {
        self.position = position.into();
        self
    }

    /// The same packet with this payload.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Bytes>) -> Self {
        self.data = data.into();
        self
    }

    /// The same packet with its times in ticks of `to`, each rounded to the nearest, halves away from zero.
    #[must_use]
    pub fn rescaled(mut self, to: TimeBase) -> Self {
        self.rescale(self.time_base, to);
        self
    }

    /// Converts its times from `from` to `to`.
    pub(crate) fn rescale(&mut self, from: TimeBase, to: TimeBase) {
        self.time_base = to;
        if from != to {
            let moved = |time| from.rescale(time, to, Rounding::Near);
            (self.pts, self.dts) = (self.pts.map(moved), self.dts.map(moved));
            self.duration = self.duration.map(moved);
        }
    }

    /// Whether decoding can start here.
    pub fn is_key(&self) -> bool {
        self.flags.has(Flags::KEY)
    }

    /// Copies data and side data into buffers of their own: the packet keeps nothing else in memory any more.
    pub fn detach(&mut self) {
        self.data = detached(&self.data);
        if let Some(side) = &mut self.side.0 {
            side.new_config = side.new_config.as_ref().map(detached);
            side.opaque.iter_mut().for_each(|(_, bytes)| *bytes = detached(bytes));
        }
    }
}

fn detached(bytes: &Bytes) -> Bytes {
    if bytes.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(bytes) }
}

/// One uncoded stretch of audio or one picture, as the stream's codec stores it (WF-23). Its times are in its own
/// [`Frame::time_base`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Frame {
    /// Index of the stream it belongs to.
    pub stream: usize,
    /// The unit of its times; [`TimeBase::OF_STREAM`] when it is the one that the stream was declared with.
    pub time_base: TimeBase,
    /// When it is presented; `None` when unknown.
    pub pts: Option<Ticks>,
    /// How long it lasts; `None` to let its samples say.
    pub duration: Option<Ticks>,
    /// Samples per channel; 0 for a picture.
    pub samples: u32,
    /// The samples, channels interleaved, or the picture.
    pub data: Bytes,
}

impl Frame {
    /// A frame of `samples` samples per channel (0 for a picture) in stream `stream`, without times, in the unit that the
    /// stream was declared with.
    pub fn of(stream: usize, samples: u32, data: impl Into<Bytes>) -> Self {
        Self { stream, samples, data: data.into(), ..Self::default() }
    }

    /// The same frame presented at `pts`; `None` for unknown.
    #[must_use]
    pub fn at(mut self, pts: impl Into<Option<Ticks>>) -> Self {
        self.pts = pts.into();
        self
    }

    /// The same frame with this duration; `None` lets its samples say.
    #[must_use]
    pub fn with_duration(mut self, duration: impl Into<Option<Ticks>>) -> Self {
        self.duration = duration.into();
        self
    }

    /// The same times, counted in `time_base`.
    #[must_use]
    pub fn with_time_base(mut self, time_base: TimeBase) -> Self {
        self.time_base = time_base;
        self
    }
}

/// A set of marks on a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Nothing is known.
    pub const NONE: Self = Self(0);
    /// Decoding can start here.
    pub const KEY: Self = Self(1);
    /// Bytes are missing or damaged.
    pub const CORRUPT: Self = Self(2);
    /// To be decoded but not presented.
    pub const DISCARD: Self = Self(4);
    /// The interleaver starts a chunk of its stream here (WF-44); set by it, not by callers.
    pub const CHUNK: Self = Self(8);
    /// No other packet needs it to be decoded: it can be left out.
    pub const DISPOSABLE: Self = Self(16);

    /// Whether all marks of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The marks as bits: 1 key, 2 corrupt, 4 discard, 8 chunk, 16 disposable.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The marks of `bits`; unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & 31)
    }

    /// [`Flags::KEY`] if `key`, else none.
    pub fn key(key: bool) -> Self {
        if key { Self::KEY } else { Self::NONE }
    }
}

impl ops::BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Side data of a packet. Empty costs one pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideData(Option<Box<Side>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Side {
    new_config: Option<Bytes>,
    trim: Trim,
    new_audio: Option<(u32, u16)>,
    opaque: Vec<(u32, Bytes)>,
}

/// Decoded samples per channel to drop, for gapless playback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Samples to drop from the start of what the packet decodes to; may exceed one packet and then goes on.
    pub start: u32,
    /// Samples to drop from the end of what the packet decodes to.
    pub end: u32,
}

/// Most entries of unknown kind one packet carries.
pub const MAX_OPAQUE: usize = 16;

impl SideData {
    /// Whether nothing is carried.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of memory: of all entries, and of what keeps them.
    pub fn weight(&self) -> usize {
        let Some(side) = &self.0 else { return 0 };
        let entries = side.new_config.iter().chain(side.opaque.iter().map(|(_, bytes)| bytes));
        let entries = entries.map(|bytes| bytes.len().saturating_add(2 * size_of::<(u32, Bytes)>()));
        entries.fold(2 * size_of::<Side>(), usize::saturating_add)
    }

    /// A codec configuration that holds from this packet on.
    pub fn new_config(&self) -> Option<&Bytes> {
        self.0.as_ref()?.new_config.as_ref()
    }

    /// Sets [`SideData::new_config`].
    pub fn set_new_config(&mut self, config: Bytes) {
        self.edit().new_config = Some(config);
    }

    /// Samples to drop after decoding.
    pub fn trim(&self) -> Trim {
        self.0.as_ref().map_or_else(Trim::default, |side| side.trim)
    }

    /// Sets [`SideData::trim`].
    pub fn set_trim(&mut self, trim: Trim) {
        if trim != self.trim() {
            self.edit().trim = trim;
        }
    }

    /// Sample rate in Hz and channel count that hold from this packet on.
    pub fn new_audio(&self) -> Option<(u32, u16)> {
        self.0.as_ref()?.new_audio
    }

    /// Sets [`SideData::new_audio`].
    pub fn set_new_audio(&mut self, sample_rate: u32, channels: u16) {
        self.edit().new_audio = Some((sample_rate, channels));
    }

    /// Entries this crate does not interpret: (kind, bytes).
    pub fn opaque(&self) -> &[(u32, Bytes)] {
        self.0.as_ref().map_or(&[], |side| &side.opaque)
    }

    /// Adds an uninterpreted entry.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond [`MAX_OPAQUE`] entries.
    pub fn add_opaque(&mut self, kind: u32, bytes: Bytes) -> Result<(), Error> {
        let side = self.edit();
        if side.opaque.len() >= MAX_OPAQUE {
            return Err(Error::Limit { what: "side data entries of a packet", limit: MAX_OPAQUE as u64 });
        }
        side.opaque.push((kind, bytes));
        Ok(())
    }

    fn edit(&mut self) -> &mut Side {
        self.0.get_or_insert_default()
    }
}
