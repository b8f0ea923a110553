//! One channel through SBR: low band in, full spectrum out, what is carried between units (ISO/IEC 14496-3 4.6.18.5).
//!
//! ```text
//!            unit before │ this unit                        A unit's spectrum lags its low band by `delay` slots, so that
//! low    [ history ]─────┼──────────────────────┤           envelopes may reach past the unit's end; what they make
//! there out         [──────────┼───────────────┤ tail ]           (the tail) is the start of the next unit's spectrum.
//! ```

use super::adjust::{Adjuster, Sinusoids};
use super::assemble::Assembler;
use super::bands::Bands;
use super::bank::Bank;
use super::generate::{Chirp, Predictor, generate};
use super::header::Header;
use super::levels::Levels;
use super::qmf::Analysis;
use super::side_info::SideInfo;
use crate::planes::{Low, Spectrum, Tail};

/// The slots of units and how they relate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// QMF slots a unit: 32, or 30, 16, 15.
    pub slots: usize,
    /// QMF slots a time slot of the grid: 2, or 1 in low delay.
    pub step: usize,
    /// Slots by which the spectrum lags the low band: 6, or 0 in low delay.
    pub delay: usize,
}

impl Timing {
    /// Those of units of this many samples of the core.
    pub(super) fn of(frame_length: usize, low_delay: bool) -> Self {
        let slots = (frame_length / 32).min(32);
        match low_delay {
            true => Timing { slots, step: 1, delay: 0 },
            false => Timing { slots, step: 2, delay: 6 },
        }
    }

    /// Time slots of the grid a unit.
    pub(super) fn grid_slots(&self) -> u8 {
        (self.slots / self.step) as u8
    }

    pub(super) fn bank(&self) -> &'static Bank {
        Bank::of(self.delay == 0)
    }

    /// Rows of the low band from units before: the lag and the two slots of the prediction.
    fn history(&self) -> usize {
        self.delay + 2
    }
}

/// The channels from `kx` to `kx + m` are made by SBR, those below come from the core.
#[derive(Clone, Copy, Debug)]
struct Span {
    kx: usize,
    m: usize,
}

/// Without SBR, all 32 channels of the core pass.
const CORE_ONLY: Span = Span { kx: 32, m: 0 };

/// Work of SBR for one channel in one unit.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub header: &'a Header,
    pub bands: &'a Bands,
    pub info: &'a SideInfo,
    pub levels: &'a Levels,
}

/// State that one channel carries from unit to unit.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub assembler: Assembler,
    analysis: Analysis,
    low: Low,
    /// The start of the next unit's spectrum.
    tail: Tail,
    chirp: Chirp,
    sinusoids: Sinusoids,
    /// The channels of the unit before, and the slots of this unit that its envelopes have filled.
    before: Span,
    filled: usize,
}

impl Channel {
    pub(super) const NEW: Self = Self {
        assembler: Assembler::NEW,
        analysis: Analysis::NEW,
        low: Low::ZERO,
        tail: Tail::ZERO,
        chirp: Chirp::NEW,
        sinusoids: Sinusoids([false; 64]),
        before: CORE_ONLY,
        filled: 0,
    };

    /// Makes a unit's spectrum from the core's samples, and what SBR has to do. `reset`: with other tables than before.
    pub(super) fn unit(
        &mut self,
        timing: &Timing,
        core: &[f32],
        task: Option<Task>,
        reset: bool,
        spectrum: &mut Spectrum,
    ) {
        let history = timing.history();
        let span = task.map_or(CORE_ONLY, |task| Span { kx: task.bands.kx, m: task.bands.m });
        self.low.carry(timing.slots, history);
        self.analysis.split(timing.bank(), core, timing.slots, &mut self.low, history);
        for row in history..history + timing.slots {
            self.low.re[row][span.kx..].fill(0.0);
            self.low.im[row][span.kx..].fill(0.0);
        }
        self.tail.copy_to(0..timing.delay, spectrum);
        let (mut start, mut tail) = (timing.slots, 0);
        if let Some(task) = task {
            start = timing.step * usize::from(task.info.grid.borders[0]);
            tail = (timing.step * usize::from(task.info.grid.end())).saturating_sub(timing.slots);
            self.high_band(timing, task, reset, spectrum);
        }
        self.fill(timing, span, start, spectrum);
        spectrum.copy_to(timing.slots..timing.slots + timing.delay, &mut self.tail);
        (self.before, self.filled) = (span, tail);
    }

    /// Generates and adjusts the channels of SBR.
    fn high_band(&mut self, timing: &Timing, task: Task, reset: bool, spectrum: &mut Spectrum) {
        let Task { header, bands, info, levels } = task;
        let grid = info.grid;
        let slot = |e: usize| timing.step * usize::from(grid.borders[e]);
        let predictor = Predictor::new(&self.low, timing.history() + timing.slots, bands.k0);
        self.chirp.update(info, bands);
        generate(&self.low, &predictor, &self.chirp, bands, slot(0)..slot(grid.envelopes), spectrum);
        let adjuster = Adjuster { header, bands, info, levels, before: self.sinusoids };
        for e in 0..grid.envelopes {
            let slots = slot(e)..slot(e + 1);
            let (gains, sinusoids) = adjuster.gains(e, slots.clone(), spectrum);
            if reset && e == 0 {
                self.assembler.reset(&gains);
            }
            let channels = bands.kx..bands.kx + bands.m;
            let transient = adjuster.has_transient(e);
            self.assembler.apply(&gains, transient, header.smoothing, channels, slots, spectrum);
            self.sinusoids = sinusoids;
        }
    }

    /// Puts the core's channels under those of SBR, which start at the slot `start`, and silence above.
    fn fill(&mut self, timing: &Timing, span: Span, start: usize, spectrum: &mut Spectrum) {
        for slot in 0..timing.slots + timing.delay {
            let of_before = slot < self.filled.min(start);
            let Span { kx, m } = if of_before { self.before } else { span };
            let (from_re, from_im) = self.low.row(slot + 2);
            let (re, im) = spectrum.row_mut(slot);
            re[..kx].copy_from_slice(&from_re[..kx]);
            im[..kx].copy_from_slice(&from_im[..kx]);
            if slot < timing.slots {
                let made = if of_before || slot >= start { kx + m } else { kx };
                re[made..].fill(0.0);
                im[made..].fill(0.0);
            }
        }
    }
}
