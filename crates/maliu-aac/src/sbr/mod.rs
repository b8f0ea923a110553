//! Spectral band replication: the upper half of the spectrum from the lower and a few parameters (ISO/IEC 14496-3
//! 4.6.18).
//!
//! ```text
//! FIL payload ─▶ header ─▶ master, bands           (tables, kept until a header changes): Parser
//!            └─▶ grid, side_info ─▶ levels ──────────────┐
//! core PCM ─▶ qmf analysis ─▶ generate ─▶ adjust, assemble ─▶ (ps) ─▶ qmf synthesis ─▶ PCM at twice the rate
//!             └────────────── High ───────────────┘       Widener     └─ Joiner ──┘
//! ```
//!
//! Handled: all frame classes, coupling, low delay grids, 960 samples, downsampled output, parametric stereo,
//! checksums.

mod adjust;
mod assemble;
mod bands;
mod bank;
mod borders;
mod channel;
mod fft;
mod generate;
mod grid;
mod header;
mod huffman_tables;
mod levels;
mod low_delay_prototype;
mod master;
mod noise_table;
mod payload;
mod prototype;
mod qmf;
mod side_info;
mod stages;

use crate::Error;
use crate::bits::Bits;
use crate::plan::Plan;
use crate::planes::Spectrum;
use crate::ps;
use bands::Bands;
use channel::Timing;
use header::Header;
use levels::Levels;
use side_info::SideInfo;
pub(crate) use stages::{High, Joiner, Widener};
use std::sync::Arc;

/// Units without data through which the last envelope is held, ever quieter, before only the core is left.
const MOST_HELD: u32 = 6;

/// Reads the SBR data of one SCE or CPE and says what is to be done with each unit.
pub(crate) struct Parser {
    /// Rate of the SBR output, which is twice that of the core, or its neighbour in the standard.
    rate: u32,
    timing: Timing,
    low_delay: bool,
    /// Of one channel or two.
    infos: Vec<SideInfo>,
    ps: Option<Box<ps::Reader>>,
    header: Option<Header>,
    /// The tables of the header; none where SBR is off and only the core passes.
    bands: Option<Arc<Bands>>,
    coupled: bool,
    /// The unit has data.
    fresh: bool,
    /// There has been data since SBR was switched on.
    playing: bool,
    /// A header of this unit changed the tables.
    changed: bool,
    /// A header since the last unit that was told changed the tables.
    restarted: bool,
    /// Units held since the last with data.
    held: u32,
}

/// Work to do for a unit, and the spectra that are made.
pub(crate) struct Unit {
    /// None where only the core passes.
    sbr: Option<(Header, Arc<Bands>)>,
    /// First channel above the spectrum.
    top: usize,
    changed: bool,
    restarted: bool,
    /// By channel.
    infos: Vec<SideInfo>,
    levels: Vec<Levels>,
    /// By channel; also where parametric stereo may make the second.
    spectra: Vec<Spectrum>,
    /// Parametric stereo makes two channels of one.
    stereo: Option<ps::Unit>,
}

impl Unit {
    /// For an element of a plan with SBR, which has one channel or two.
    pub(crate) fn new(plan: &Plan, channels: usize) -> Self {
        let sides = if may_widen(plan, channels) { 2 } else { channels };
        Self {
            sbr: None,
            top: 32,
            changed: false,
            restarted: false,
            infos: vec![SideInfo::new(16); channels],
            levels: vec![Levels::ZERO; channels],
            spectra: vec![Spectrum::ZERO; sides],
            stereo: None,
        }
    }
}

/// Whether parametric stereo may make two channels of an element's one.
fn may_widen(plan: &Plan, channels: usize) -> bool {
    channels == 1 && plan.extension.is_some_and(|extension| extension.ps_allowed && !extension.low_delay)
}

impl Parser {
    /// For one (SCE) or two (CPE) channels of a core with this rate and frame length (1024, 960, 512 or 480).
    /// `low_delay` is the variant of AAC-ELD. `ps_allowed` lets a mono element become stereo.
    pub(crate) fn new(core_rate: u32, channels: usize, frame_length: usize, low_delay: bool, ps_allowed: bool) -> Self {
        let timing = Timing::of(frame_length, low_delay);
        Self {
            rate: master::standard_rate(core_rate.saturating_mul(2).min(1 << 20)),
            timing,
            low_delay,
            infos: vec![SideInfo::new(timing.grid_slots()); channels.clamp(1, 2)],
            ps: (channels == 1 && ps_allowed && !low_delay).then(|| Box::new(ps::Reader::new(timing.slots))),
            header: None,
            bands: None,
            coupled: false,
            fresh: false,
            playing: false,
            changed: false,
            restarted: false,
            held: 0,
        }
    }

    /// Reads an sbr_header() that stands in a configuration.
    pub(crate) fn header(&mut self, bits: &mut Bits) -> Result<(), Error> {
        let header = Header::read(bits);
        self.set_header(header, bits)
    }

    /// Reads a unit's sbr_extension_data() behind its extension type. After an error the unit counts as lost.
    pub(crate) fn parse(&mut self, bits: &mut Bits, crc: bool) -> Result<(), Error> {
        self.changed = false;
        self.fresh = false;
        let coupled = self.coupled;
        let before: [Option<SideInfo>; 2] = [0, 1].map(|i| self.infos.get(i).cloned());
        let outcome = self.read(bits, crc);
        self.fresh = outcome.is_ok() && self.bands.is_some();
        if outcome.is_err() {
            self.coupled = coupled;
            for (info, before) in self.infos.iter_mut().zip(before.into_iter().flatten()) {
                *info = before;
            }
        }
        outcome
    }

    /// The unit has no SBR data.
    pub(crate) fn lost(&mut self) {
        self.fresh = false;
        self.changed = false;
    }

    /// Whether parametric stereo makes two channels of one: data has come, though perhaps no header.
    pub(crate) fn has_ps(&self) -> bool {
        self.ps.as_ref().is_some_and(|ps| ps.seen())
    }

    /// Ends a unit: says in `unit` what is to be done for it.
    pub(crate) fn tell(&mut self, unit: &mut Unit) {
        self.hold_or_stop();
        unit.sbr = self.header.zip(self.bands.clone()).filter(|_| self.playing);
        unit.top = self.bands.as_ref().map_or(32, |bands| bands.kx + bands.m);
        unit.infos.clone_from(&self.infos);
        if let Some((_, bands)) = &unit.sbr {
            match (&self.infos[..], &mut unit.levels[..]) {
                ([left, right], levels) if self.coupled => {
                    levels.iter_mut().zip(Levels::of_coupled(left, right, bands)).for_each(|(to, of)| *to = of);
                }
                (infos, levels) => {
                    levels.iter_mut().zip(infos).for_each(|(to, info)| *to = Levels::of(info, bands));
                }
            }
        }
        unit.stereo = self.ps.as_mut().filter(|ps| ps.seen()).map(|ps| ps.tell());
        unit.changed = std::mem::take(&mut self.changed);
        unit.restarted = std::mem::take(&mut self.restarted);
        self.fresh = false;
    }

    /// Where a unit lacks data, goes on with the last envelope for a while, then turns SBR off until the next header.
    fn hold_or_stop(&mut self) {
        if self.fresh {
            (self.playing, self.held) = (true, 0);
        } else if self.playing && self.held < MOST_HELD {
            self.held += 1;
            for info in &mut self.infos {
                let steps = if info.grid.coarse { 1 } else { 2 };
                info.hold(self.timing.grid_slots(), steps);
            }
        } else if self.playing {
            self.playing = false;
            self.infos.iter_mut().for_each(SideInfo::stop);
            if !self.low_delay {
                self.bands = None;
            }
        }
    }

    fn set_header(&mut self, header: Header, bits: &Bits) -> Result<(), Error> {
        let before = self.header.replace(header);
        match (&mut self.bands, before) {
            (Some(bands), Some(before)) if before.spectrum == header.spectrum => {
                if before.limiter_bands != header.limiter_bands {
                    Arc::make_mut(bands).set_limiter(header.limiter_bands);
                }
            }
            _ => {
                self.bands = Bands::new(self.rate, &header).map(Arc::new);
                if self.bands.is_none() {
                    return Err(Error::Malformed { what: "sbr: header gives no bands", bit: bits.position() });
                }
                self.changed = true;
                self.restarted = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
