//! Length-prefixed packets → Annex B, with parameter sets before a random access picture that lacks them
//! (PAR-20…PAR-23).

use alloc::vec::Vec;

use bytes::Bytes;

use super::{Config, kind};
use crate::syntax::annexb::{self, behind_codes};

/// Turns the packets of one stream, in order, into Annex B.
#[derive(Clone, Debug)]
pub struct ToAnnexB {
    /// `None`: the packets have start codes already.
    sets: Option<Sets>,
    state: State,
}

#[derive(Clone, Debug)]
struct Sets {
    length_size: u8,
    sps: Bytes,
    pps: Bytes,
    all: Bytes,
}

/// Parameter sets seen since the last IDR picture began.
#[derive(Clone, Copy, Debug)]
struct State {
    new_idr: bool,
    sps_seen: bool,
    pps_seen: bool,
}

const START: State = State { new_idr: true, sps_seen: false, pps_seen: false };

impl ToAnnexB {
    /// For a stream of this configuration. Empty or in Annex B form: packets pass unchanged. `None` for a record that
    /// is cut short.
    pub fn new(config: &Bytes) -> Option<Self> {
        if config.is_empty() || annexb::starts_with_code(config) {
            return Some(Self { sets: None, state: START });
        }
        if config.len() < 7 {
            return None;
        }
        // The first byte of the record is not looked at, as the reference does not.
        let record = Bytes::from([&[1], config.get(1..).unwrap_or_default()].concat());
        let Config { length_size, sps, pps, .. } = Config::parse(&record)?;
        let (sps, pps) = (behind_codes(sps.iter()), behind_codes(pps.iter()));
        let all = Bytes::from([&sps[..], &pps[..]].concat());
        Some(Self { sets: Some(Sets { length_size, sps, pps, all }), state: START })
    }

    /// The parameter sets of the stream in Annex B form; `None` when packets pass unchanged.
    pub fn parameter_sets(&self) -> Option<&Bytes> {
        self.sets.as_ref().map(|sets| &sets.all)
    }

    /// The packet in Annex B form; `None`, with nothing remembered of it, when a length points past its end.
    pub fn packet(&mut self, data: &Bytes) -> Option<Bytes> {
        let Some(sets) = &self.sets else { return Some(data.clone()) };
        let mut state = self.state;
        let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 16);
        let mut units = annexb::lengths(data, sets.length_size);
        for nal in units.by_ref().filter(|nal| !nal.is_empty()) {
            if let Some(block) = state.before(nal, sets) {
                out.extend_from_slice(block);
            }
            let is_set = matches!(nal.first().map(|head| head & 0x1f), Some(kind::SPS | kind::PPS));
            out.extend_from_slice(if out.is_empty() || is_set { &[0, 0, 0, 1] } else { &[0, 0, 1] });
            out.extend_from_slice(nal);
            if !state.new_idr && nal.first().is_some_and(|head| head & 0x1f == kind::SLICE) {
                state = START;
            }
        }
        if units.left() > 0 {
            return None;
        }
        self.state = state;
        Some(out.into())
    }

    /// Forgets what was seen, as after a seek.
    pub fn reset(&mut self) {
        self.state = START;
    }
}

impl State {
    /// Notes `nal`; returns the parameter sets that must stand before it.
    fn before<'s>(&mut self, nal: &[u8], sets: &'s Sets) -> Option<&'s Bytes> {
        let nal_unit_type = nal.first()? & 0x1f;
        match nal_unit_type {
            kind::SPS => (self.sps_seen, self.new_idr) = (true, true),
            kind::PPS => {
                (self.pps_seen, self.new_idr) = (true, true);
                if !self.sps_seen {
                    self.sps_seen = true;
                    return Some(&sets.sps);
                }
            }
            kind::IDR => {
                // first_mb_in_slice of 0 is one set bit: a new picture begins.
                if !self.new_idr && nal.get(1).is_some_and(|byte| byte & 0x80 != 0) {
                    self.new_idr = true;
                }
                if self.new_idr && !self.sps_seen && !self.pps_seen {
                    self.new_idr = false;
                    return Some(&sets.all);
                }
                if self.new_idr && self.sps_seen && !self.pps_seen {
                    return Some(&sets.pps);
                }
            }
            _ => {}
        }
        None
    }
}
