//! Processing of the spectra of one SCE or CPE: made, widened to two, put together.

use super::Unit;
use super::channel::{Channel, Task, Timing};
use super::may_widen;
use super::qmf::Synthesis;
use crate::plan::Plan;
use crate::ps::Ps;

/// Makes spectra.
pub(crate) struct High {
    timing: Timing,
    channels: Vec<Channel>,
}

impl High {
    /// For an element of a plan with SBR.
    pub(crate) fn new(plan: &Plan, channels: usize) -> Self {
        Self { timing: timing(plan), channels: vec![Channel::NEW; channels] }
    }

    /// Makes a unit's spectra of the samples of its core.
    pub(crate) fn run(&mut self, core: [&[f32]; 2], unit: &mut Unit) {
        let channels =
            self.channels.iter_mut().zip(core).zip(&mut unit.spectra).zip(unit.infos.iter().zip(&unit.levels));
        for (((channel, core), spectrum), (info, levels)) in channels {
            if unit.restarted {
                channel.assembler.restart_noise();
            }
            let task = unit.sbr.as_ref().map(|(header, bands)| Task { header, bands, info, levels });
            channel.unit(&self.timing, core, task, unit.changed, spectrum);
        }
    }
}

/// Makes two spectra of one, where there is parametric stereo.
pub(crate) struct Widener(Option<Box<Ps>>);

impl Widener {
    /// For an element of a plan with SBR.
    pub(crate) fn new(plan: &Plan, channels: usize) -> Self {
        Self(may_widen(plan, channels).then(|| Box::new(Ps::new(timing(plan).slots))))
    }

    /// Makes both spectra of a unit.
    pub(crate) fn run(&mut self, unit: &mut Unit) {
        if let (Self(Some(ps)), Some(told), [left, right]) = (self, &unit.stereo, &mut unit.spectra[..]) {
            ps.process(told, left, right, unit.top);
        }
    }
}

/// Makes samples of spectra.
pub(crate) struct Joiner {
    timing: Timing,
    downsampled: bool,
    /// By channel of the output.
    synthesis: [Synthesis; 2],
    /// Parametric stereo has made two channels of one.
    widened: bool,
}

impl Joiner {
    /// For an element of a plan with SBR.
    pub(crate) fn new(plan: &Plan, _: usize) -> Self {
        let downsampled = plan.extension.is_some_and(|extension| extension.downsampled);
        Self { timing: timing(plan), downsampled, synthesis: [Synthesis::NEW; 2], widened: false }
    }

    /// Makes a unit of sound: `out` takes twice the samples of the core, or as many when downsampled. Full scale is 1.
    pub(crate) fn run(&mut self, unit: &Unit, out: [&mut [f32]; 2]) {
        let [left, right] = &mut self.synthesis;
        if unit.stereo.is_some() && !std::mem::replace(&mut self.widened, true) {
            // Until here, right would have been the same as left; until a header comes it still is.
            right.clone_from(left);
        }
        let count = if self.widened { 2 } else { unit.infos.len() };
        for ((synthesis, spectrum), out) in [left, right].into_iter().zip(&unit.spectra).zip(out).take(count) {
            match self.downsampled {
                true => synthesis.join_downsampled(self.timing.bank(), spectrum, self.timing.slots, out),
                false => synthesis.join(self.timing.bank(), spectrum, self.timing.slots, out),
            }
        }
    }
}

fn timing(plan: &Plan) -> Timing {
    Timing::of(plan.syntax.frame_length, plan.extension.is_some_and(|extension| extension.low_delay))
}
