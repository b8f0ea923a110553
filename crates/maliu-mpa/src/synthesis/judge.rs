//! Judges frames of layer III by those before: damage that no checksum covers shows as codes that end at another bit
//! than declared, where all codes before ended exactly.

use crate::Error;
use crate::parsed::{Parsed, Trust};

/// Evidence of the frames so far.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// Frames in a row whose codes ended exactly where they were declared to end.
    row: u32,
    /// Some frame was damaged.
    damaged: bool,
    /// The first frame behind the last gap showed that its data does not go on across it.
    torn: bool,
}

/// Frames in a row after which codes that end elsewhere are damage.
const ROW: u32 = 4;

impl Judge {
    /// The contradiction between a frame and those before.
    pub(super) fn fault(&self, unit: &Parsed) -> Option<Error> {
        if unit.across > 0 && self.torn && !unit.after_gap {
            return Some(Error::MissingData { bytes: unit.across });
        }
        let doubtful = unit.trust == Trust::Doubtful || self.row >= ROW;
        let what = "codes end elsewhere than declared";
        (!unit.exact && doubtful).then(|| Error::Malformed { what, bit: unit.side.bits() })
    }

    /// Whether a frame may be louder than [`LOUDEST`](crate::LOUDEST).
    pub(super) fn may_be_loud(&self, unit: &Parsed) -> bool {
        unit.trust == Trust::Full && unit.exact && !self.damaged
    }

    /// Takes a frame into account.
    pub(super) fn note(&mut self, unit: &Parsed) {
        self.damaged |= unit.fault.is_some();
        if unit.after_gap {
            self.torn = unit.fault.is_some();
        }
        self.row = if unit.exact && unit.fault.is_none() { self.row.saturating_add(1) } else { 0 };
    }
}
