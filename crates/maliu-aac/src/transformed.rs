//! Core work that needs no other unit: any number may be processed at a time.
//!
//! ```text
//! lines ─▶ middle/side, intensity ─▶ tns ─▶ inverse transform ─▶ Core: windows, overlap
//! ```

use crate::channel::stereo;
use crate::config::Config;
use crate::drc::Drc;
use crate::filterbank::FilterBank;
use crate::parsed::{Element, Parsed};

/// Does for [`Core`](crate::Core) what it would do by itself, for any unit in any order, where lines do not depend on
/// units before them. In other streams it does nothing.
pub struct Transform {
    bank: FilterBank,
}

impl Transform {
    /// For a stream of this configuration.
    pub fn new(config: &Config) -> Transform {
        Transform { bank: FilterBank::of(config) }
    }

    /// Transforms the elements of a unit, once.
    pub fn run(&mut self, unit: &mut Parsed) {
        let (Some(plan), FilterBank::Switched(_)) = (&unit.plan, &self.bank) else { return };
        if !plan.apart {
            return;
        }
        let drc = Some(&unit.drc).filter(|_| unit.apply_drc);
        let elements = unit.elements.iter_mut().zip(&plan.elements);
        for (element, (_, output)) in elements.filter(|(element, _)| element.present && !element.transformed) {
            self.transform(element, drc, *output);
        }
    }

    fn transform(&mut self, element: &mut Element, drc: Option<&Drc>, output: usize) {
        if let [left, right] = element.channels.as_mut_slice() {
            if element.common {
                stereo::middle_side(left, right, &element.mask);
            }
            stereo::intensity(left, right, &element.mask);
        }
        for (i, (channel, sound)) in element.channels.iter_mut().zip(&mut element.sound).enumerate() {
            channel.tns.apply(&mut channel.lines, &channel.info);
            if let Some(drc) = drc {
                drc.apply(output + i, &mut channel.lines, channel.info.short());
            }
            self.bank.transform(&channel.lines, &channel.info, sound);
        }
        element.transformed = true;
    }
}
