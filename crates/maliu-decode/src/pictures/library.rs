//! `rust_h264` behind a wall: its panics are damage, and a copy of its state that panicked is not used again.

use std::borrow::Cow;

use maliu_core::syntax::{annexb, h264::Header};
use rust_h264::{
    decoder::{Decoder, Frame},
    error::DecodeError,
    nal::{NalUnit, NalUnitType},
};

use crate::wall;

/// The library's decoder.
pub(super) struct Library(Decoder);

/// Why a NAL unit gave nothing.
pub(super) enum Refusal {
    /// It is damaged; what follows may be fine.
    Damaged(String),
    /// It needs something the library does not have, or is damaged so that it seems to.
    Unsupported(String),
    /// The library panicked; it must be made anew.
    GaveUp,
}

impl Library {
    pub(super) fn new() -> Self {
        Self(Decoder::new())
    }

    /// One NAL unit. Gives out the picture before the one that it begins, if that is complete.
    pub(super) fn nal(&mut self, nal: &[u8]) -> Result<Option<Frame>, Refusal> {
        let header = Header::of(nal).ok_or_else(|| Refusal::Damaged("a damaged NAL unit header".to_owned()))?;
        self.rbsp(header, annexb::unescape(nal.get(1..).unwrap_or_default()))
    }

    /// A NAL unit without emulation prevention.
    pub(super) fn rbsp(&mut self, header: Header, rbsp: Cow<'_, [u8]>) -> Result<Option<Frame>, Refusal> {
        let Header { nal_ref_idc, nal_unit_type } = header;
        let unit = NalUnit { nal_ref_idc, nal_unit_type: NalUnitType::from(nal_unit_type), rbsp };
        self.inside(|decoder| decoder.decode_nal(&unit))?.map_err(|fault| match fault {
            DecodeError::Unsupported(what) => Refusal::Unsupported(what.to_owned()),
            fault => Refusal::Damaged(fault.to_string()),
        })
    }

    /// Completes the picture being decoded and gives it out; where there is none, a field that waits for the other.
    pub(super) fn flush(&mut self) -> Result<Option<Frame>, Refusal> {
        self.inside(Decoder::flush)
    }

    fn inside<T>(&mut self, call: impl FnOnce(&mut Decoder) -> T) -> Result<T, Refusal> {
        wall::inside(|| call(&mut self.0)).ok_or(Refusal::GaveUp)
    }
}
