//! Video of a layout without times: its access units are timed as those of a raw stream are.
//!
//! ```text
//!   body ─▶ NAL units ─▶ RawStream ─▶ packets with times from picture order and rate
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    input::Input,
    layout::BodyKind,
    stream::Codec,
    syntax::{
        annexb::{self, RawEvent, RawStream},
        h264, h265,
    },
};

/// One stream.
pub(super) struct Untimed {
    units: Units,
    /// Parameter sets and the like, whose picture comes in a later body, and the offset of the first.
    ahead: Option<(u64, BytesMut)>,
    /// Parameter sets were met.
    described: bool,
}

enum Units {
    H264(RawStream<h264::Pictures>),
    H265(RawStream<h265::Pictures>),
}

/// Most bytes that are kept for the picture behind them.
const MAX_AHEAD: usize = 64 << 10;

impl Untimed {
    /// For a codec that has picture order; `rate`: frames per second, whatever the stream says.
    pub(super) fn of(codec: Codec, rate: Option<(u32, u32)>) -> Option<Self> {
        let units = match codec {
            Codec::H264 => Units::H264(RawStream::new(h264::Pictures::new(false), rate)),
            Codec::H265 => Units::H265(RawStream::new(h265::Pictures::new(false), rate)),
            _ => return None,
        };
        Some(Self { units, ahead: None, described: false })
    }

    /// Takes parameter sets behind start codes that are no part of a packet.
    pub(super) fn configure(&mut self, sets: &[u8], at: u64) {
        annexb::units(sets).for_each(|unit| self.units.nal(unit.trimmed(), at));
    }

    /// Takes a body, from offset `at` of the input on. Packets keep its NAL units behind lengths if they are `framed` so,
    /// else start codes stand in front of them. False when it is no row of NAL units. Remarks go to `input`.
    pub(super) fn push(&mut self, kind: &BodyKind, framed: bool, body: Bytes, at: u64, input: &mut Input) -> bool {
        let (data, coded) = match kind {
            BodyKind::Avcc(size) => match behind_codes(&body, *size) {
                Some(coded) => (if framed { body } else { coded.clone() }, coded),
                None => return false,
            },
            _ if annexb::starts_with_code(&body) => (body.clone(), body),
            _ => return false,
        };
        let bare = !annexb::units(&coded).any(|unit| self.units.is_picture(unit.trimmed()));
        let room = MAX_AHEAD.saturating_sub(self.ahead.as_ref().map_or(0, |(_, bytes)| bytes.len()));
        annexb::units(&coded).for_each(|unit| self.units.nal(unit.trimmed(), at));
        if bare && data.len() <= room {
            self.ahead.get_or_insert_with(|| (at, BytesMut::new())).1.put_slice(&data);
            return true;
        }
        let (at, data) = match self.ahead.take() {
            Some((at, mut bytes)) => {
                bytes.put_slice(&data);
                (at, bytes.freeze())
            }
            None => (at, data),
        };
        self.end_unit(at, data, input);
        true
    }

    /// Whether parameter sets were met, so that what follows is timed.
    pub(super) fn has_begun(&self) -> bool {
        self.described
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self, input: &mut Input) {
        if let Some((at, bytes)) = self.ahead.take() {
            self.end_unit(at, bytes.freeze(), input);
        }
        match &mut self.units {
            Units::H264(units) => units.end_units(),
            Units::H265(units) => units.end_units(),
        }
    }

    /// The next stream or packet; `None` until more is pushed.
    pub(super) fn next(&mut self) -> Option<RawEvent> {
        match &mut self.units {
            Units::H264(units) => units.next_unit(),
            Units::H265(units) => units.next_unit(),
        }
    }

    /// Bytes before the first parameter sets are not a fault of the input: a late joiner has not got them.
    fn end_unit(&mut self, at: u64, data: Bytes, input: &mut Input) {
        let mut unheard = Input::new();
        let heard = if self.described { input } else { &mut unheard };
        self.described = match &mut self.units {
            Units::H264(units) => {
                units.end_unit(at, data, heard);
                units.is_described()
            }
            Units::H265(units) => {
                units.end_unit(at, data, heard);
                units.is_described()
            }
        };
    }
}

impl Units {
    fn nal(&mut self, nal: &[u8], at: u64) {
        match self {
            Self::H264(units) => units.nal(nal, at),
            Self::H265(units) => units.nal(nal, at),
        }
    }

    /// Whether it is anything but a parameter set, a delimiter or a message in front of a picture.
    fn is_picture(&self, nal: &[u8]) -> bool {
        match self {
            Self::H264(_) => !h264::Header::of(nal).is_some_and(|header| (6..=9).contains(&header.nal_unit_type)),
            Self::H265(_) => !h265::Header::of(nal).is_some_and(|header| matches!(header.nal_unit_type, 32..=35 | 39)),
        }
    }
}

/// NAL units behind lengths, behind start codes instead.
fn behind_codes(body: &Bytes, size: u8) -> Option<Bytes> {
    let mut coded = BytesMut::with_capacity(body.len().saturating_add(16));
    let mut bytes = 0;
    for nal in annexb::lengths(body, size) {
        coded.put_slice(&[0, 0, 0, 1]);
        coded.put_slice(nal);
        bytes += usize::from(size) + nal.len();
    }
    (bytes == body.len() && bytes > 0).then(|| coded.freeze())
}
