//! Length-prefixed packets → Annex B, with parameter sets before a random access picture that lacks them.

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Config, Header, kind};
use crate::syntax::annexb;

/// Turns the packets of one stream into Annex B.
#[derive(Clone, Debug)]
pub struct ToAnnexB {
    /// Length size and parameter sets; `None`: the packets have start codes already.
    sets: Option<(u8, Bytes)>,
}

impl ToAnnexB {
    /// For a stream of this configuration. Empty or in Annex B form: packets pass unchanged. `None` for a record that is
    /// cut short.
    pub fn new(config: &Bytes) -> Option<Self> {
        if config.is_empty() || annexb::starts_with_code(config) {
            return Some(Self { sets: None });
        }
        let config = Config::parse(config)?;
        Some(Self { sets: Some((config.length_size, config.to_annexb())) })
    }

    /// The parameter sets of the stream in Annex B form; `None` when packets pass unchanged.
    pub fn parameter_sets(&self) -> Option<&Bytes> {
        self.sets.as_ref().map(|(_, sets)| sets)
    }

    /// The packet in Annex B form; `None` when a length points past its end.
    pub fn packet(&self, data: &Bytes) -> Option<Bytes> {
        let Some((length_size, sets)) = &self.sets else { return Some(data.clone()) };
        let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 16);
        let mut units = annexb::lengths(data, *length_size);
        // Which of the three kinds of sets stand before the first slice.
        let mut seen = [false; 3];
        let mut inserted = false;
        for nal in units.by_ref().filter(|nal| !nal.is_empty()) {
            let header = Header::of(nal);
            let kind = header.map_or(u8::MAX, |header| header.nal_unit_type);
            if let Some(seen) = kind.checked_sub(kind::VPS).and_then(|index| seen.get_mut(usize::from(index))) {
                *seen = true;
            }
            if header.is_some_and(Header::is_irap) && !inserted {
                inserted = true;
                if seen != [true; 3] {
                    out.extend_from_slice(sets);
                }
            }
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(nal);
        }
        (units.left() == 0).then(|| out.into())
    }
}
