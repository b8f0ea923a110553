//! Spectral band replication: the upper half of the spectrum from the lower and a few parameters (ISO/IEC 14496-3 4.6.18).
//!
//! ```text
//! FIL payload ─▶ header ─▶ master, bands           (tables, kept until a header changes)
//!            └─▶ grid, side_info ─▶ levels ──────────────┐
//! core PCM ─▶ qmf analysis ─▶ generate ─▶ adjust, assemble ─▶ (ps) ─▶ qmf synthesis ─▶ PCM at twice the rate
//! ```
//!
//! Handled: all frame classes, coupling, low delay grids, 960 samples, downsampled output, parametric stereo, checksums.

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
pub(crate) mod huffman;
mod huffman_tables;
mod levels;
mod low_delay_prototype;
mod master;
mod noise_table;
mod payload;
pub(crate) mod planes;
mod prototype;
mod qmf;
mod side_info;

use crate::Error;
use crate::bits::Bits;
use crate::ps::Ps;
use bands::Bands;
use channel::{Channel, Timing};
use header::Header;
use levels::Levels;
use planes::Spectrum;
use qmf::Synthesis;
use side_info::SideInfo;

/// Units without data through which the last envelope is held, ever quieter, before only the core is left.
const MOST_HELD: u32 = 6;

/// Units after which a start in the middle of a stream has caught up: the noise table repeats after 16 units, and all
/// that fades has faded by then. The noise is the same if the start is a multiple of 16 units after the first header.
pub(crate) const CARRY_UNITS: usize = 16;

/// The SBR decoder of one SCE or CPE.
pub(crate) struct Sbr {
    /// Rate of the SBR output, which is twice that of the core, or its neighbour in the standard.
    rate: u32,
    timing: Timing,
    low_delay: bool,
    /// One or two.
    channels: Vec<Channel>,
    stereo: Option<Box<Stereo>>,
    header: Option<Header>,
    /// The tables of the header; none where SBR is off and only the core passes.
    bands: Option<Box<Bands>>,
    coupled: bool,
    /// The unit has data.
    fresh: bool,
    /// There has been data since SBR was switched on.
    playing: bool,
    /// A header of this unit changed the tables.
    changed: bool,
    /// Units held since the last with data.
    held: u32,
}

/// What parametric stereo adds to a mono element.
struct Stereo {
    ps: Ps,
    right: Spectrum,
    synthesis: Synthesis,
    /// Data has come, though perhaps no header: from then on there are two channels.
    seen: bool,
}

impl Sbr {
    /// A decoder for one (SCE) or two (CPE) channels of a core with this rate and frame length (1024, 960, 512 or 480).
    /// `low_delay` is the variant of AAC-ELD. `ps_allowed` lets a mono element become stereo.
    pub(crate) fn new(core_rate: u32, channels: usize, frame_length: usize, low_delay: bool, ps_allowed: bool) -> Self {
        let slots = (frame_length / 32).min(32);
        let timing = match low_delay {
            true => Timing { slots, step: 1, delay: 0 },
            false => Timing { slots, step: 2, delay: 6 },
        };
        let stereo = (channels == 1 && ps_allowed && !low_delay).then(|| {
            Box::new(Stereo { ps: Ps::new(slots), right: Spectrum::ZERO, synthesis: Synthesis::NEW, seen: false })
        });
        Self {
            rate: master::standard_rate(core_rate.saturating_mul(2).min(1 << 20)),
            timing,
            low_delay,
            channels: vec![Channel::new(&timing); channels.clamp(1, 2)],
            stereo,
            header: None,
            bands: None,
            coupled: false,
            fresh: false,
            playing: false,
            changed: false,
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
        let before: [Option<SideInfo>; 2] = [0, 1].map(|i| self.channels.get(i).map(|channel| channel.info.clone()));
        let outcome = self.read(bits, crc);
        self.fresh = outcome.is_ok() && self.bands.is_some();
        if outcome.is_err() {
            self.coupled = coupled;
            for (channel, before) in self.channels.iter_mut().zip(before.into_iter().flatten()) {
                channel.info = before;
            }
        }
        outcome
    }

    /// The unit has no SBR data.
    pub(crate) fn lost(&mut self) {
        self.fresh = false;
        self.changed = false;
    }

    /// Whether parametric stereo makes two channels of one.
    pub(crate) fn has_ps(&self) -> bool {
        self.stereo.as_ref().is_some_and(|stereo| stereo.seen)
    }

    /// Makes a unit of sound: `out` takes twice the samples of `core`, or as many when `downsampled`. Full scale is 1.
    /// Returns the number of channels made, which is 2 from a mono core once parametric stereo has been seen.
    pub(crate) fn process(&mut self, core: [&[f32]; 2], out: [&mut [f32]; 2], downsampled: bool) -> usize {
        self.hold_or_stop();
        let sbr = self.header.as_ref().zip(self.bands.as_deref()).filter(|_| self.playing);
        if let Some((_, bands)) = sbr {
            match &mut self.channels[..] {
                [left, right] if self.coupled => {
                    [left.levels, right.levels] = Levels::of_coupled(&left.info, &right.info, bands);
                }
                channels => channels.iter_mut().for_each(|c| c.levels = Levels::of(&c.info, bands)),
            }
        }
        for (channel, core) in self.channels.iter_mut().zip(core) {
            channel.unit(&self.timing, core, sbr, self.changed);
        }
        (self.fresh, self.changed) = (false, false);
        self.join(out, downsampled)
    }

    /// Puts the spectra of all channels together.
    fn join(&mut self, out: [&mut [f32]; 2], downsampled: bool) -> usize {
        let (slots, bank) = (self.timing.slots, self.timing.bank());
        let join = |synthesis: &mut Synthesis, spectrum: &Spectrum, out: &mut [f32]| match downsampled {
            true => synthesis.join_downsampled(bank, spectrum, slots, out),
            false => synthesis.join(bank, spectrum, slots, out),
        };
        let [out_left, out_right] = out;
        match (&mut self.channels[..], &mut self.stereo) {
            ([left, right], _) => {
                join(&mut left.synthesis, &left.spectrum, out_left);
                join(&mut right.synthesis, &right.spectrum, out_right);
                2
            }
            ([mono, ..], Some(stereo)) if stereo.seen => {
                let top = self.bands.as_ref().map_or(32, |bands| bands.kx + bands.m);
                stereo.ps.process(&mut mono.spectrum, &mut stereo.right, top);
                join(&mut mono.synthesis, &mono.spectrum, out_left);
                join(&mut stereo.synthesis, &stereo.right, out_right);
                2
            }
            ([mono, ..], _) => {
                join(&mut mono.synthesis, &mono.spectrum, out_left);
                1
            }
            ([], _) => 0,
        }
    }

    /// Where a unit lacks data, goes on with the last envelope for a while, then turns SBR off until the next header.
    fn hold_or_stop(&mut self) {
        if self.fresh {
            (self.playing, self.held) = (true, 0);
        } else if self.playing && self.held < MOST_HELD {
            self.held += 1;
            for channel in &mut self.channels {
                let steps = if channel.info.grid.coarse { 1 } else { 2 };
                channel.info.hold(self.timing.grid_slots(), steps);
            }
        } else if self.playing {
            self.playing = false;
            self.channels.iter_mut().for_each(|channel| channel.info.stop());
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
                    bands.set_limiter(header.limiter_bands);
                }
            }
            _ => {
                self.bands = Bands::new(self.rate, &header).map(Box::new);
                if self.bands.is_none() {
                    return Err(Error::Malformed { what: "sbr: header gives no bands", bit: bits.position() });
                }
                self.changed = true;
                self.channels.iter_mut().for_each(|channel| channel.assembler.restart_noise());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
