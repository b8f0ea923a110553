//! Spectral band replication of one channel element: when it has data, and where its sound goes.

use crate::bits::Bits;
use crate::config::{Config, Signal};
use crate::frame::STRIDE;
use crate::sbr::Sbr;

/// The SBR decoder of a channel element.
pub(crate) struct Extension {
    sbr: Sbr,
    /// The unit at hand has data for it.
    fed: bool,
    /// The output has the rate of the core.
    downsampled: bool,
}

impl Extension {
    /// For an element of one channel or two. `header`: which of the headers in an ELD configuration is its own.
    pub(crate) fn new(config: &Config, channels: usize, header: usize) -> Extension {
        let low_delay = config.low_delay_sbr.as_ref();
        let ps = channels == 1 && config.ps != Signal::Absent;
        let frame_length = usize::from(config.frame_length);
        let mut sbr = Sbr::new(config.sample_rate, channels, frame_length, low_delay.is_some(), ps);
        if let Some((low_delay, start)) = low_delay.and_then(|l| l.headers.get(header).map(|start| (l, *start))) {
            let mut bits = Bits::new(&low_delay.config);
            bits.skip(start);
            // A header that fits no bands leaves the core alone.
            let _ = sbr.header(&mut bits);
        }
        Extension { sbr, fed: false, downsampled: config.downsampled() }
    }

    /// Forgets the data of a unit that was not finished.
    pub(crate) fn begin_unit(&mut self) {
        self.fed = false;
    }

    /// Reads the data of a unit, which ends with `bits`, or where low delay data does. Bad data counts as missing, and
    /// gives false.
    pub(crate) fn parse(&mut self, bits: &mut Bits, crc: bool) -> bool {
        self.fed = self.sbr.parse(bits, crc).is_ok();
        if !self.fed {
            self.sbr.lost();
        }
        self.fed
    }

    /// Turns the sound of a unit's core into that of the output.
    pub(crate) fn run(&mut self, core: [&[f32]; 2], out: [&mut [f32]; 2]) {
        if !self.fed {
            self.sbr.lost();
        }
        self.fed = false;
        let samples = if self.downsampled { core[0].len() } else { 2 * core[0].len() }.min(STRIDE);
        self.sbr.process(core, out.map(|channel| channel.get_mut(..samples).unwrap_or_default()), self.downsampled);
    }

    /// Whether one channel has become two.
    pub(crate) fn has_ps(&self) -> bool {
        self.sbr.has_ps()
    }
}
