//! Reasons why a frame cannot be decoded.

use core::fmt;

/// Why a frame cannot be decoded.
///
/// After an error of [`Decoder::decode`](crate::Decoder::decode) the decoder can go on with the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The data does not begin with a frame header, or ends within the header or the side information.
    NoHeader,
    /// The checksum of the frame is wrong.
    Checksum,
    /// The bits contradict the standard.
    Malformed {
        /// The contradiction.
        what: &'static str,
        /// Position in bits: in the frame, or in the main data of layer III.
        bit: usize,
    },
    /// The main data of a layer III frame is missing, because it begins in frames that were not decoded or not given.
    MissingData {
        /// Bytes that are missing.
        bytes: usize,
    },
    /// The frame was not given.
    Lost,
    /// The sound would be louder than [`LOUDEST`](crate::LOUDEST).
    TooLoud,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoHeader => write!(f, "mpeg audio: no frame header"),
            Error::Checksum => write!(f, "mpeg audio: wrong checksum"),
            Error::Malformed { what, bit } => write!(f, "mpeg audio: {what} at bit {bit}"),
            Error::MissingData { bytes } => write!(f, "mpeg audio: {bytes} bytes of main data are missing"),
            Error::Lost => write!(f, "mpeg audio: the frame is lost"),
            Error::TooLoud => write!(f, "mpeg audio: more than 12 dB above full scale"),
        }
    }
}

impl core::error::Error for Error {}
