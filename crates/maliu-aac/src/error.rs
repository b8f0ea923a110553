//! Faults of a configuration or an access unit.

use core::fmt;

/// Why a configuration or an access unit could not be used.
///
/// After an error of [`Decoder::decode`](crate::Decoder::decode) the decoder can go on with the next unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A feature that is recognised and not decoded, by its name.
    Unsupported(&'static str),
    /// The bits contradict the standard.
    Malformed {
        /// The fault that was found.
        what: &'static str,
        /// Where, in bits from the start of the configuration or unit.
        bit: usize,
    },
    /// The unit holds no sound that could be decoded: no channel element, or its channels are not known yet.
    NoSound,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported(feature) => write!(f, "aac: {feature} is not supported"),
            Error::Malformed { what, bit } => write!(f, "aac: {what} at bit {bit}"),
            Error::NoSound => write!(f, "aac: no channel element in the access unit"),
        }
    }
}

impl core::error::Error for Error {}
