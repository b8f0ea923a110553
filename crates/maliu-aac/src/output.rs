//! The last three stages: SBR's spectra from the sound of the core, two of one, and the sound of all channels from them.

use std::sync::Arc;

use crate::config::Place;
use crate::coupling::Point;
use crate::frame::STRIDE;
use crate::parsed::Parsed;
use crate::plan::Plan;
use crate::sbr;

/// Makes the upper half of the spectrum, where there is SBR; passes other units.
#[derive(Default)]
pub struct HighBand(States<sbr::High>);

impl HighBand {
    /// Makes the spectra of a unit.
    pub fn run(&mut self, unit: &mut Parsed) {
        let Some(plan) = &unit.plan else { return };
        let States { elements, couplings, .. } = self.0.of(plan, sbr::High::new);
        let length = plan.syntax.frame_length;
        let coupled = couplings.iter_mut().zip(&mut unit.couplings);
        for (high, coupled) in coupled.filter(|(_, coupled)| coupled.at(Point::Samples)) {
            let core = [&coupled.core[..length], &[]];
            coupled.extension.iter_mut().for_each(|unit| high.run(core, unit));
        }
        for (high, element) in elements.iter_mut().zip(&mut unit.elements) {
            let mut extension = element.extension.take();
            extension.iter_mut().for_each(|unit| high.run(element.core(length), unit));
            element.extension = extension;
        }
    }
}

/// Makes two spectra of one, where there is parametric stereo; passes other units.
#[derive(Default)]
pub struct ParametricStereo(States<sbr::Widener>);

impl ParametricStereo {
    /// Makes both spectra of a unit.
    pub fn run(&mut self, unit: &mut Parsed) {
        let Some(plan) = &unit.plan else { return };
        let States { elements, couplings, .. } = self.0.of(plan, sbr::Widener::new);
        let coupled = couplings.iter_mut().zip(&mut unit.couplings);
        let coupled = coupled.filter(|(_, coupled)| coupled.at(Point::Samples)).map(|(w, c)| (w, &mut c.extension));
        let elements = elements.iter_mut().zip(unit.elements.iter_mut().map(|element| &mut element.extension));
        for (widener, extension) in coupled.chain(elements) {
            extension.iter_mut().for_each(|unit| widener.run(unit));
        }
    }
}

/// Makes the sound of all channels: of spectra, where there is SBR.
#[derive(Default)]
pub struct Output(States<sbr::Joiner>);

impl Output {
    /// Makes the sound of a unit, which is then in [`Parsed::frame`].
    pub fn run(&mut self, unit: &mut Parsed) {
        let Some(plan) = unit.plan.clone() else { return };
        self.0.of(&plan, sbr::Joiner::new);
        self.finish_coupled(&plan, unit);
        self.finish_elements(&plan, unit);
        add_coupled(&plan, unit);
        if let (true, Some((left, right))) = (unit.twin, unit.output.split_at_mut_checked(STRIDE)) {
            right[..STRIDE].copy_from_slice(left);
        }
    }

    fn finish_coupled(&mut self, plan: &Plan, unit: &mut Parsed) {
        let length = plan.syntax.frame_length;
        let (mut joiners, samples) = (self.0.couplings.iter_mut(), samples(plan));
        for coupled in &mut unit.couplings {
            let joiner = joiners.next();
            if !coupled.at(Point::Samples) {
                continue;
            }
            match joiner.zip(coupled.extension.as_deref()) {
                Some((joiner, spectra)) => joiner.run(spectra, [&mut coupled.sound[..samples], &mut []]),
                None => coupled.sound[..length].copy_from_slice(&coupled.core[..length]),
            }
        }
    }

    fn finish_elements(&mut self, plan: &Plan, unit: &mut Parsed) {
        let length = plan.syntax.frame_length;
        let (mut joiners, samples) = (self.0.elements.iter_mut(), samples(plan));
        for (element, (_, output)) in unit.elements.iter_mut().zip(&plan.elements) {
            let joiner = joiners.next();
            let Some(out) = unit.output.get_mut(STRIDE * output..) else { continue };
            let (left, right) = out.split_at_mut(out.len().min(STRIDE));
            match joiner.zip(element.extension.as_deref()) {
                Some((joiner, spectra)) => {
                    let out = [left, right].map(|channel| channel.get_mut(..samples).unwrap_or_default());
                    joiner.run(spectra, out);
                }
                None => {
                    for (out, core) in [left, right].into_iter().zip(element.core(length)) {
                        out[..core.len()].copy_from_slice(core);
                    }
                }
            }
        }
    }
}

/// Samples of a channel of a unit.
fn samples(plan: &Plan) -> usize {
    let doubled = plan.extension.is_some_and(|extension| !extension.downsampled);
    (plan.syntax.frame_length << usize::from(doubled)).min(STRIDE)
}

/// Adds the samples of coupling channels to the channels they name.
fn add_coupled(plan: &Plan, unit: &mut Parsed) {
    for (place, output) in plan.elements.iter().filter(|(place, _)| place.place != Place::Lfe) {
        for coupled in unit.couplings.iter().filter(|c| c.at(Point::Samples)) {
            let channels = unit.output.chunks_mut(STRIDE).skip(*output).take(1 + usize::from(place.pair));
            for (i, out) in channels.enumerate() {
                for gains in coupled.coupling.gains(place.pair, place.tag, i) {
                    out.iter_mut().zip(&coupled.sound).for_each(|(to, from)| *to += gains[0] * from);
                }
            }
        }
    }
}

/// A stage's state for each element and each coupling element of a plan with SBR; none without.
struct States<T> {
    plan: Option<Arc<Plan>>,
    elements: Vec<T>,
    couplings: Vec<T>,
}

impl<T> Default for States<T> {
    fn default() -> Self {
        Self { plan: None, elements: Vec::new(), couplings: Vec::new() }
    }
}

impl<T> States<T> {
    /// Those of this plan; new ones when it is another than before.
    fn of(&mut self, plan: &Arc<Plan>, new: impl Fn(&Plan, usize) -> T) -> &mut Self {
        if !self.plan.as_ref().is_some_and(|known| Arc::ptr_eq(known, plan)) {
            *self = Self { plan: Some(plan.clone()), ..Self::default() };
            if plan.extension.is_some() {
                self.elements.extend(plan.elements.iter().map(|(place, _)| new(plan, 1 + usize::from(place.pair))));
                self.couplings.extend(plan.couplings.iter().map(|_| new(plan, 1)));
            }
        }
        self
    }
}
