//! An access unit on its way from bits to sound: each stage adds what it makes of it.

use std::sync::Arc;

use crate::channel::stereo::Mask;
use crate::channel::{Channel, Syntax, info::Info};
use crate::config::ProgramElement;
use crate::coupling::{Coupling, Point};
use crate::drc::Drc;
use crate::frame::{Frame, STRIDE};
use crate::plan::Plan;
use crate::sbr;
use crate::{ChannelLayout, Error, bits::Bits, noise::Noise};

/// One access unit between the stages [`Parser`](crate::Parser), [`Core`](crate::Core), [`HighBand`](crate::HighBand),
/// [`ParametricStereo`](crate::ParametricStereo) and [`Output`](crate::Output). Its memory is used again for the next unit.
#[derive(Default)]
pub struct Parsed {
    /// None until a program config element says what the channels are.
    pub(crate) plan: Option<Arc<Plan>>,
    pub(crate) elements: Vec<Element>,
    pub(crate) couplings: Vec<Coupled>,
    pub(crate) drc: Drc,
    /// The gains of `drc` are asked for.
    pub(crate) apply_drc: bool,
    /// The one channel is heard on both sides.
    pub(crate) twin: bool,
    pub(crate) layout: ChannelLayout,
    pub(crate) sample_rate: u32,
    pub(crate) samples: usize,
    /// Finished sound, [`STRIDE`] samples a channel.
    pub(crate) output: Vec<f32>,
}

/// A single channel, a pair or low frequency effects.
pub(crate) struct Element {
    pub(crate) place: ProgramElement,
    /// One or two.
    pub(crate) channels: Vec<Channel>,
    /// The two share one info.
    pub(crate) common: bool,
    pub(crate) mask: Mask,
    /// The unit has the element.
    pub(crate) present: bool,
    /// `sound` is what the lines transform to, not yet samples.
    pub(crate) transformed: bool,
    /// Samples of the core, full scale 1.0.
    pub(crate) sound: Vec<[f32; 1024]>,
    pub(crate) extension: Option<Box<sbr::Unit>>,
}

/// A coupling channel element.
pub(crate) struct Coupled {
    pub(crate) tag: u8,
    pub(crate) channel: Channel,
    pub(crate) coupling: Coupling,
    pub(crate) present: bool,
    /// Samples, if those are coupled: of the core, then finished.
    pub(crate) core: [f32; 1024],
    pub(crate) sound: Vec<f32>,
    pub(crate) extension: Option<Box<sbr::Unit>>,
}

impl Parsed {
    /// A unit without anything.
    pub fn new() -> Parsed {
        Parsed::default()
    }

    /// The finished sound, after all stages.
    pub fn frame(&self) -> Frame<'_> {
        Frame { sample_rate: self.sample_rate, layout: self.layout, data: &self.output, samples: self.samples }
    }

    /// Channels that the sound is made from, those that are coupled into others among them: its memory goes by them.
    pub fn channels(&self) -> usize {
        self.elements.iter().map(|element| element.channels.len()).sum::<usize>() + self.couplings.len()
    }

    /// Starts a unit of a stream of this plan: it has no element yet.
    pub(crate) fn begin(&mut self, plan: Option<&Arc<Plan>>) {
        self.drc.clear();
        self.elements.iter_mut().for_each(|element| (element.present, element.transformed) = (false, false));
        self.couplings.iter_mut().for_each(|coupled| coupled.present = false);
        self.follow(plan);
    }

    /// Takes over another plan, whose elements were not met yet.
    pub(crate) fn follow(&mut self, plan: Option<&Arc<Plan>>) {
        if plan.map(Arc::as_ptr) == self.plan.as_ref().map(Arc::as_ptr) {
            return;
        }
        self.plan = plan.cloned();
        self.elements.clear();
        self.couplings.clear();
        let Some(plan) = plan else { return };
        self.elements.extend(plan.elements.iter().map(|(place, _)| Element::new(*place, &plan.syntax)));
        self.couplings.extend(plan.couplings.iter().map(|tag| Coupled::new(*tag, &plan.syntax)));
        // One that was larger, for a unit that turned out damaged, is let go.
        self.output = vec![0.0; usize::from(plan.layout.channels.max(2)) * STRIDE];
        self.extend();
    }

    /// The stream turns out to have SBR in the middle of a unit.
    pub(crate) fn replan(&mut self, plan: &Arc<Plan>) {
        self.plan = Some(plan.clone());
        self.extend();
    }

    fn extend(&mut self) {
        if let Some(plan) = self.plan.as_ref().filter(|plan| plan.extension.is_some()) {
            let unit = |channels| Some(Box::new(sbr::Unit::new(plan, channels)));
            self.elements.iter_mut().for_each(|element| element.extension = unit(element.channels.len()));
            self.couplings.iter_mut().for_each(|coupled| coupled.extension = unit(1));
        }
    }

    /// No element of the unit was found yet.
    pub(crate) fn untouched(&self) -> bool {
        self.elements.iter().all(|e| !e.present)
    }
}

impl Element {
    fn new(place: ProgramElement, syntax: &Syntax) -> Element {
        let count = 1 + usize::from(place.pair);
        Element {
            place,
            channels: (0..count).map(|_| Channel::new(syntax)).collect(),
            common: false,
            mask: Mask::NONE,
            present: false,
            transformed: false,
            sound: vec![[0.0; 1024]; count],
            extension: None,
        }
    }

    /// Reads single_channel_element, lfe_channel_element or channel_pair_element after its tag.
    pub(crate) fn parse(&mut self, bits: &mut Bits, syntax: &Syntax, noise: &mut Noise) -> Result<(), Error> {
        self.present = true;
        self.common = false;
        match self.channels.as_mut_slice() {
            [left, right] => {
                self.common = syntax.eld() || bits.flag();
                self.mask = Mask::NONE;
                if self.common {
                    let mut info = Info::parse(bits, syntax, true)?;
                    self.mask = Mask::parse(bits, &info)?;
                    if info.ltp_follows {
                        info.parse_ltp(bits, syntax, 0);
                    }
                    left.parse(bits, syntax, Some(&info), noise)?;
                    if info.ltp_follows {
                        info.parse_ltp(bits, syntax, 1);
                    }
                    right.parse(bits, syntax, Some(&info), noise)
                } else {
                    left.parse(bits, syntax, None, noise)?;
                    right.parse(bits, syntax, None, noise)
                }
            }
            [single, ..] => single.parse(bits, syntax, None, noise),
            [] => Ok(()),
        }
    }

    /// The samples of the core's channels.
    pub(crate) fn core(&self, length: usize) -> [&[f32]; 2] {
        [0, 1].map(|i| self.sound.get(i).and_then(|sound| sound.get(..length)).unwrap_or_default())
    }
}

impl Coupled {
    fn new(tag: u8, syntax: &Syntax) -> Coupled {
        Coupled {
            tag,
            channel: Channel::new(syntax),
            coupling: Coupling::new(),
            present: false,
            core: [0.0; 1024],
            sound: vec![0.0; STRIDE],
            extension: None,
        }
    }

    /// Reads coupling_channel_element after its tag.
    pub(crate) fn parse(&mut self, bits: &mut Bits, syntax: &Syntax, noise: &mut Noise) -> Result<(), Error> {
        self.coupling.parse(bits, &mut self.channel, syntax, noise)?;
        self.present = true;
        Ok(())
    }

    /// Whether the unit has the element, to be added at this point.
    pub(crate) fn at(&self, point: Point) -> bool {
        self.present && self.coupling.point == point
    }
}
