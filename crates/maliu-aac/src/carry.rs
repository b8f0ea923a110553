//! State that a decoder carries from unit to unit, for callers that decode one stream in several runs.

use crate::config::{Config, Signal, object};

/// How a run that starts in the middle of a stream comes to equal one that started at its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carry {
    /// Units whose sound reaches into the next ones by overlap: 1, and 3 for ELD (ISO/IEC 14496-3 §4.6.11, §4.6.20).
    pub overlap: usize,
    /// Lines or samples may be predicted from earlier units without end (§4.6.6, §4.6.7): Main, LTP and LD.
    pub prediction: bool,
    /// Noise was substituted, and its generator goes on from band to band since the first unit (§4.6.13).
    pub noise: bool,
    /// SBR keeps filters, envelopes and gains, and counts its noise from its first header (§4.6.18).
    pub sbr: bool,
    /// Parametric stereo keeps delays and all-pass filters (§8.6.4).
    pub ps: bool,
    /// Units to decode and throw away before the sound is the same. With SBR the stream must also have sent its header
    /// (encoders repeat it about twice a second) and an envelope that is not coded as a difference.
    pub units: usize,
    /// Whether that number of units makes the sound bit-identical, judged by the units so far: false where a tool with
    /// unbounded state is in use. The stages ([`Parser`](crate::Parser) and those behind it) work on several units at
    /// once without starting in the middle, and are always exact.
    pub exact: bool,
}

/// Units after which SBR and parametric stereo have caught up: the noise table repeats after 16 units, and all that
/// fades has faded by then. The noise is the same if the start is a multiple of 16 units after the first header.
const EXTENSION_UNITS: usize = 16;

/// Units that predictors take to come near; never exactly, while they are used.
const PREDICTION_UNITS: usize = 8;

impl Carry {
    pub(crate) fn of(config: &Config, noise: bool) -> Carry {
        let overlap = if config.object_type == object::ER_ELD { 3 } else { 1 };
        let prediction = matches!(config.object_type, object::MAIN | object::LTP | object::ER_LTP | object::ER_LD);
        let sbr = config.sbr == Signal::Explicit;
        let ps = sbr && config.ps == Signal::Explicit;
        let core = if prediction { PREDICTION_UNITS } else { overlap };
        let units = core + if sbr { EXTENSION_UNITS } else { 0 };
        Carry { overlap, prediction, noise, sbr, ps, units, exact: !(sbr || noise || prediction) }
    }
}
