//! Any |header|data| protocol, described as data: read it, write it, explain it, export a dissector.
//!
//! ```text
//!   [preamble] once, then again and again:
//!   ┌── header: fields ──┬──── body ────┬── tail: fields ──┐
//!   │ magic length pts … │ one packet   │ checksum …       │
//!   └────────────────────┴──────────────┴──────────────────┘
//! ```
//!
//! A [`Layout`] is checked once ([`Layout::check`]); after that no input can make it loop, panic or grow beyond
//! [`Limits`]. The text form (TOML) is read by the crate `maliu`.

use alloc::{string::String, vec::Vec};

use crate::{stream::Codec, time::TimeBase};

mod check;
mod checksum;
mod demux;
mod explain;
mod extent;
mod facts;
mod guess;
mod head;
mod message;
mod mux;
mod payload;
mod place;
mod transform;
mod wireshark;

pub use check::Fault;
pub use checksum::{Algorithm, Crc};
pub use demux::Reader;
pub use explain::{Line, explain};
pub use guess::{Framing, Guess, guess};
pub use mux::Writer;
pub use transform::Transform;
pub use wireshark::dissector;

/// Most fields in one part of a layout.
pub const MAX_FIELDS: usize = 128;
/// Most bits in one part of a layout's fields: 64 KiB.
pub const MAX_HEADER_BITS: usize = 65_536 * 8;
/// Largest body a layout may allow, in bytes.
pub const MAX_BODY: usize = 32 << 20;
/// Most streams one connection may open.
pub const MAX_STREAMS: usize = 64;
/// Longest delimiter of bodies, in bytes.
pub const MAX_DELIMITER: usize = 64;
/// Longest header that is text, in bytes.
pub const MAX_TEXT_HEAD: usize = 16 << 10;
/// Most transforms of a body.
pub const MAX_TRANSFORMS: usize = 4;
/// Deepest nesting of layouts in bodies.
pub const MAX_NESTING: usize = 4;

/// A private protocol.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Layout {
    /// Its name.
    pub name: String,
    /// Its purpose, in a sentence.
    pub about: String,
    /// Fields that stand once at the start of a connection.
    pub preamble: Vec<Field>,
    /// Form of the header.
    pub head: Head,
    /// Fields in front of each body.
    pub header: Vec<Field>,
    /// Kind of the body.
    pub body: Body,
    /// Fields at the start of each body that are looked at and left in it. Not written: bodies are the caller's.
    pub inside: Vec<Field>,
    /// Fields behind each body.
    pub tail: Vec<Field>,
    /// Its bounds.
    pub limits: Limits,
}

impl Layout {
    /// A layout of messages with this header, and a body behind it, which opaque packets fill.
    pub fn new(name: impl Into<String>, header: Vec<Field>) -> Self {
        Self { name: name.into(), header, ..Self::default() }
    }

    /// Whether a field says which stream a message belongs to; otherwise a connection has one.
    pub fn tells_streams(&self) -> bool {
        let tells = |field: &Field| matches!(field.role, Some(Role::Stream | Role::Media | Role::Codec));
        self.header.iter().any(tells) || self.inner().is_some_and(Self::tells_streams)
    }

    /// The layout of its bodies, if they have one.
    pub(crate) fn inner(&self) -> Option<&Self> {
        match &self.body.kind {
            BodyKind::Nested(inner) => Some(inner),
            _ => None,
        }
    }

    /// Whether the last part of a packet is marked and its first is not, so that one begins behind the last of the other.
    pub(crate) fn marks_ends(&self) -> bool {
        let names = |part| {
            let of = |field: &Field| field.map.iter().any(|(_, meaning)| *meaning == Meaning::Fragment(part));
            self.header.iter().any(|field| field.role == Some(Role::Fragment) && of(field))
        };
        names(Fragment::Last) && !names(Fragment::First)
    }

    /// Whether a field says when packets are shown or decoded; otherwise times come from picture order and rate.
    pub fn tells_times(&self) -> bool {
        let tells = |field: &Field| matches!(field.role, Some(Role::Pts(_) | Role::Dts(_) | Role::Cts(_)));
        self.header.iter().chain(&self.inside).chain(&self.tail).any(tells)
            || self.inner().is_some_and(Self::tells_times)
    }
}

/// Form of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// Fields one behind the other, bit by bit.
    #[default]
    Bits,
    /// Lines `Name: value` in any order, up to an empty one. Names are compared without case.
    Lines {
        /// The line in front of them, if there is one: a boundary.
        first: String,
    },
    /// An object of JSON on a line of its own; fields are its members.
    Json,
    /// `name=value` separated by blanks, on a line of its own.
    Pairs,
}

/// One field, at the bit where the one before it ends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Its name, unique in the layout.
    pub name: String,
    /// How its bits are read.
    pub kind: Kind,
    /// The only value it may have; used to find the next message after garbage.
    pub constant: Option<Constant>,
    /// Lowest and highest value it may have.
    pub range: Option<(i64, i64)>,
    /// The value stays the same from message to message: an identity that makes finding the next one surer.
    /// Fields of one number share it.
    pub steady: Option<u8>,
    /// It is there only if this holds.
    pub when: Vec<Condition>,
    /// Meaning of its value.
    pub role: Option<Role>,
    /// Value → meaning, for the roles that name something.
    pub map: Vec<(u64, Meaning)>,
    /// Meaning of the values that the map does not name.
    pub others: Option<Meaning>,
    /// Value to write when no role gives one.
    pub default: u64,
    /// In a preamble: what is wrong with a connection whose value is out of range. Such a connection is refused; without
    /// this text it counts as joined in the middle.
    pub otherwise: Option<String>,
}

impl Field {
    /// A field with nothing but a name and a kind.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            constant: None,
            range: None,
            steady: None,
            when: Vec::new(),
            role: None,
            map: Vec::new(),
            others: None,
            default: 0,
            otherwise: None,
        }
    }
}

/// How the bits of a field are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1–64 bits; bytes little-endian if so said and the field is whole aligned bytes.
    Number {
        /// Width in bits.
        bits: u8,
        /// Two's complement.
        signed: bool,
        /// Least significant byte first.
        little: bool,
    },
    /// Decimal digits, two a byte, the first one in the high half.
    Bcd {
        /// Number of digits, even.
        digits: u16,
    },
    /// Text, ended by NUL or by its length.
    Text {
        /// Length in bytes.
        len: u16,
    },
    /// Bytes without a meaning.
    Bytes {
        /// Length in bytes.
        len: u16,
    },
    /// A number in groups of 7 bits, the least significant first, of which all but the last have their highest bit set
    /// (LEB128, as in protobuf and MQTT); at most 64 bits.
    Varint,
    /// A number in digits, as many as there are; `true` and `false` are 1 and 0.
    Digits {
        /// 10 or 16.
        radix: u8,
    },
    /// Text up to a blank, a quotation mark, a comma or the end of the line.
    Word,
    /// Bytes without a meaning, as many as a field in front of it says: an extension of the header. None where that field
    /// is absent.
    Counted {
        /// Index of the field that says how many, in the same part.
        by: usize,
    },
}

impl Kind {
    /// Bits that a value of it may have.
    pub(crate) fn room(self) -> u8 {
        match self {
            Self::Varint | Self::Digits { .. } => 64,
            kind => kind.bits().min(64) as u8,
        }
    }

    /// Width in bits; 0 where another field or the content says it.
    pub fn bits(self) -> usize {
        match self {
            Self::Number { bits, .. } => usize::from(bits),
            Self::Bcd { digits } => usize::from(digits) * 4,
            Self::Text { len } | Self::Bytes { len } => usize::from(len) * 8,
            Self::Counted { .. } | Self::Varint | Self::Digits { .. } | Self::Word => 0,
        }
    }
}

/// The value a constant field must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    /// A number.
    Number(u64),
    /// The bytes of a text or bytes field.
    Bytes(Vec<u8>),
}

/// `field comparison value`; `field` is an index among the fields of the same part, and stands before the field that
/// asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Index of the field that is compared.
    pub field: usize,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: i64,
}

/// A comparison of a field with a value. A field that is absent fulfils none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `&`: they have a bit in common.
    Mask,
}

/// Meaning of a field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// `value · unit + plus` bytes are counted from `from` to the end of the body, or of the tail. In a tail it is a
    /// check. A message in which the field is absent has no body: what its fields say holds for those behind it.
    Length {
        /// Bytes a unit.
        unit: u32,
        /// Bytes added to the product.
        plus: i32,
        /// Where counting starts.
        from: RangeStart,
        /// Whether the tail is counted too.
        tail: bool,
        /// Zeros behind the body fill the bytes that are counted up to a multiple of this many; 1 where none do.
        align: u32,
    },
    /// Presentation time.
    Pts(Clock),
    /// Decoding time.
    Dts(Clock),
    /// Presentation time less decoding time.
    Cts(Clock),
    /// Which stream: each value is one.
    Stream,
    /// Which kind of media, by the map.
    Media,
    /// Which codec, by the map.
    Codec,
    /// Whether decoding can start here: by the map, or non-zero.
    Key,
    /// Whether the body is codec configuration: by the map, or non-zero.
    Config,
    /// Whether the message is passed over: by the map, or non-zero.
    Skip,
    /// A count of messages.
    Sequence {
        /// Each stream counts its own.
        per_stream: bool,
    },
    /// Which part of a packet the body is, by the map. Where the map names no first part, a packet begins behind the last
    /// part of the one before.
    Fragment,
    /// Number of the part of a packet that the body is.
    Part {
        /// Number of the first part.
        first: u32,
    },
    /// How many parts the packet has.
    Parts,
    /// Whether the body is the first part of a packet: by the map, or non-zero.
    First,
    /// Whether the body is the last part of a packet: by the map, or non-zero.
    Last,
    /// A checksum of bytes of the message.
    Checksum {
        /// How it is computed.
        algorithm: Algorithm,
        /// Where the covered bytes start.
        from: RangeStart,
        /// Where they end.
        to: RangeEnd,
    },
    /// Samples per second.
    SampleRate,
    /// Number of channels.
    Channels,
    /// Width of the picture in pixels.
    Width,
    /// Height of the picture in pixels.
    Height,
}

/// Where a range of bytes starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeStart {
    /// At the message's first byte.
    Start,
    /// At a field of the header.
    Field(usize),
    /// Behind a field of the header.
    Behind(usize),
    /// At the body.
    Body,
}

/// Where a range of bytes ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeEnd {
    /// Where the header ends.
    Header,
    /// Where the body ends.
    Body,
    /// Before the field that asks.
    Here,
}

/// Unit and place of a timestamp. Several fields of one role add up: those of one unit by their bits, those of different
/// units by their spans, as seconds and microseconds do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The unit of one count.
    pub base: TimeBase,
    /// The field's bits stand this far left in the timestamp.
    pub shift: u8,
    /// A count is half of the unit, as in NTP timestamps: 2^32 a second, which no unit holds.
    pub halves: bool,
}

/// Meaning of a value of a mapped field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A codec.
    Codec(Codec),
    /// Yes or no.
    Flag(bool),
    /// A part of a packet.
    Fragment(Fragment),
    /// A number in place of the value.
    Number(u64),
    /// A kind of media.
    Media(crate::stream::Kind),
    /// The message is passed over.
    Skip,
}

/// Which part of a packet a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fragment {
    /// All of it.
    #[default]
    Whole,
    /// The first part of several.
    First,
    /// Neither first nor last.
    Middle,
    /// The last part.
    Last,
}

/// Kinds of bodies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// How packets stand in it.
    pub kind: BodyKind,
    /// The codec when no field says; of a mapped codec field the fallback.
    pub codec: Option<Codec>,
    /// Length in bytes when no field says.
    pub length: Option<u32>,
    /// The bytes that end it when nothing says its length. They are not part of it.
    pub until: Option<Vec<u8>>,
    /// It is what is left of the message, whose extent the layout around it knows.
    pub rest: bool,
    /// Codings of the carrier, in the order in which reading undoes them.
    pub transforms: Vec<Transform>,
    /// Codec configuration when no message carries it.
    pub config: Option<Vec<u8>>,
    /// Sample rate in Hz and channels when no field says; 0 when unknown.
    pub audio: (u32, u16),
    /// Frames per second of video; where no field is a time, whatever the stream says.
    pub frame_rate: Option<(u32, u32)>,
}

/// How packets stand in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BodyKind {
    /// As they are.
    #[default]
    Raw,
    /// NAL units behind start codes.
    AnnexB,
    /// NAL units behind their length in this many bytes.
    Avcc(u8),
    /// AAC behind ADTS headers.
    Adts,
    /// A piece of an MPEG program stream (ISO 13818-1 §2.5): the bodies together are the stream.
    ProgramStream,
    /// Messages of another layout, whole ones only.
    Nested(alloc::boxed::Box<Layout>),
}

/// Bounds of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body in bytes, also of a reassembled packet.
    pub body: u32,
    /// Largest body in bytes that is written; packets that are longer go in parts, where a field says which part it is.
    pub part: Option<u32>,
    /// Whether a message that breaks a rule is passed over up to the next good one; else it is an error.
    pub resync: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 16 << 20, part: None, resync: true }
    }
}
