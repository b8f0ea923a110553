//! Remarks of parsers about bytes that they can read past: kinds with numbers, so that no text has to be taken apart.
//!
//! ```
//! use maliu_core::{input::Input, remark::Remark};
//!
//! let mut input = Input::new();
//! input.push(b"junk");
//! input.remark_at(0, Remark::Junk { bytes: Some(4) }, "skipped 4 bytes");
//! let (warnings, more) = input.take_warnings();
//! assert_eq!((warnings[0].at, warnings[0].kind, more), (0, Remark::Junk { bytes: Some(4) }, 0));
//! ```

use alloc::borrow::Cow;
use core::fmt;

/// A remark of a parser about bytes it could read past.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Absolute offset in the input (or output), in bytes.
    pub at: u64,
    /// The stream it is about, when it is about one.
    pub stream: Option<usize>,
    /// Its kind.
    pub kind: Remark,
    /// The finding and its consequence, as a sentence.
    pub what: Cow<'static, str>,
}

impl Warning {
    /// A remark of no particular kind about the byte at `at`.
    pub fn new(at: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self { at, stream: None, kind: Remark::Other, what: what.into() }
    }
}

/// The kinds of remarks. A reworded sentence changes no kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// None of the others.
    #[default]
    Other,
    /// Bytes that belong to nothing were passed over.
    Junk {
        /// How many; `None` when their end is not known yet.
        bytes: Option<u64>,
    },
    /// Nothing but zeros stands at the end.
    ZeroTail {
        /// How many.
        bytes: u64,
    },
    /// Something ends before its size says.
    Cut {
        /// Bytes that are missing, when it is known.
        missing: Option<u64>,
    },
    /// A size that is written behind a unit is not the unit's.
    TrailingSize {
        /// As written.
        found: u64,
        /// As it should be.
        expected: u64,
    },
    /// A size that was never written.
    NoSize,
    /// A unit of a type that has no meaning was passed over.
    UnknownType {
        /// The type as the format numbers it.
        number: u32,
    },
    /// A codec configuration or parameter set cannot be read.
    BadConfig(Option<Refusal>),
    /// A packet or picture came without the configuration that its codec needs.
    NoConfig(Option<Refusal>),
    /// Packets that need a configuration came before it.
    LateConfig {
        /// Offset of the first of them.
        first: u64,
    },
    /// A configuration came again unchanged.
    RepeatedConfig,
    /// A codec configuration is not of the form that the format demands, and was converted.
    ForeignConfig,
    /// A raw stream does not declare its frame rate, which is optional.
    NoFrameRate {
        /// Frames per second that are assumed.
        assumed: u32,
    },
    /// Units that are missing, by their numbers.
    Missing {
        /// How many.
        units: u64,
    },
    /// Time is missing between two parts of a stream.
    Hole {
        /// How much, in µs.
        micros: u64,
    },
    /// A header declares another size or count than there is.
    Declared {
        /// As declared.
        declared: u64,
        /// As found.
        found: u64,
    },
}

impl Remark {
    /// Whether nothing is lost, refused or shown at a wrong time: a log needs not mention it.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::RepeatedConfig | Self::LateConfig { .. })
    }
}

/// Why a parameter set, a slice header or a configuration is refused. Fields have their names in the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not a unit of the expected type.
    Type,
    /// The data ends at or soon behind a field.
    Short {
        /// The last field that was looked for by name.
        field: &'static str,
    },
    /// A field has a value outside its range.
    Range {
        /// The field.
        field: &'static str,
        /// Its value.
        value: i64,
        /// The lowest value that is allowed.
        least: i64,
        /// The highest value that is allowed.
        most: i64,
    },
    /// A field names a parameter set that has not come.
    Missing {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u32,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("the unit is not of the expected type"),
            Self::Short { field } => write!(f, "the data ends at {field}"),
            Self::Range { field, value, least, most } if least == most => {
                write!(f, "{field} is {value}, expected {least}")
            }
            Self::Range { field, value, least, most } => write!(f, "{field} is {value}, expected {least} to {most}"),
            Self::Missing { field, value } => write!(f, "{field} is {value}, a set that has not come"),
        }
    }
}
