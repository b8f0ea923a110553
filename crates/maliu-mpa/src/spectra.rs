//! The second stage: the data of a frame to its spectrum. Carries nothing from frame to frame.

use crate::parsed::Parsed;
use crate::{layer3, layer12};

/// Decodes the data of frames, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spectra;

impl Spectra {
    /// Decodes a frame that [`Parser`](crate::Parser) has read. A contradiction in its data becomes its
    /// [`fault`](Parsed::fault).
    pub fn run(&self, unit: &mut Parsed) {
        let Some(header) = unit.header.filter(|_| unit.fault.is_none()) else { return };
        let result = if header.layer == 3 { layer3::decode(&header, unit) } else { layer12::decode(&header, unit) };
        unit.fault = result.err();
    }
}
