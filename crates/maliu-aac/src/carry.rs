//! What a decoder carries from unit to unit, for those who decode one stream in several runs.

use crate::config::object;
use crate::sbr::CARRY_UNITS;

/// How a run that starts in the middle of a stream comes to equal one that started at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carry {
    /// Units to decode and throw away before the sound is the same. With SBR the stream must also have sent its header
    /// (encoders repeat it about twice a second) and an envelope that is not coded as a difference.
    pub units: usize,
    /// Whether those units make it exactly the same, as far as the units so far can tell. Not so when state without end
    /// is used: Main prediction and long term prediction fade only while they are unused, noise continues one sequence
    /// from the first unit on, and SBR counts its noise from its first header.
    pub exact: bool,
}

impl Carry {
    pub(crate) fn of(object_type: u8, sbr: bool, noise: bool) -> Carry {
        let core = match object_type {
            object::ER_ELD => 3,
            object::MAIN | object::LTP | object::ER_LTP | object::ER_LD => 8,
            _ => 1,
        };
        let predicted = matches!(object_type, object::MAIN | object::LTP | object::ER_LTP | object::ER_LD);
        Carry { units: core + if sbr { CARRY_UNITS } else { 0 }, exact: !(sbr || noise || predicted) }
    }
}
