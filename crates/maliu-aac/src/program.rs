//! The channel elements of a stream, found by what a unit calls them.

use crate::channel::Syntax;
use crate::config::{Config, Place, ProgramConfig};
use crate::element::{Coupled, Element};
use crate::extension::Extension;
use crate::layout::{self, ChannelLayout};

/// Elements in the order of the configuration.
pub(crate) struct Program {
    /// 0: elements are known by their tags; else by their order.
    pub(crate) channel_config: u8,
    pub(crate) declared: ProgramConfig,
    pub(crate) layout: ChannelLayout,
    pub(crate) elements: Vec<Element>,
    pub(crate) couplings: Vec<Coupled>,
    /// Elements of the unit at hand that were found by order.
    found: usize,
}

/// What a unit calls a channel element (id_syn_ele).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    Pair,
    Lfe,
}

impl Program {
    pub(crate) fn new(channel_config: u8, declared: ProgramConfig, syntax: &Syntax) -> Program {
        let arrangement = layout::arrange(channel_config, &declared);
        let places = declared.elements().iter();
        let heard = places.clone().zip(&arrangement.first).filter_map(|(place, first)| first.map(|f| (place, f)));
        Program {
            channel_config,
            declared,
            layout: arrangement.layout,
            elements: heard.map(|(place, first)| Element::new(*place, first, syntax)).collect(),
            couplings: places.filter(|e| e.place == Place::Coupling).map(|e| Coupled::new(e.tag, syntax)).collect(),
            found: 0,
        }
    }

    /// Gives every element an SBR decoder: with SBR in one of them, the others are resampled by theirs.
    pub(crate) fn extend(&mut self, config: &Config) {
        let mut header = 0;
        for element in &mut self.elements {
            element.extension = Some(Box::new(Extension::new(config, element.voices.len(), header)));
            header += usize::from(element.place.place != Place::Lfe);
        }
        for coupled in &mut self.couplings {
            coupled.extension = Some(Box::new(Extension::new(config, 1, usize::MAX)));
        }
    }

    /// Forgets which elements the last unit had.
    pub(crate) fn begin_unit(&mut self) {
        self.found = 0;
        self.elements.iter_mut().for_each(Element::begin_unit);
        self.couplings.iter_mut().for_each(Coupled::begin_unit);
    }

    /// No element of the unit was found yet.
    pub(crate) fn untouched(&self) -> bool {
        self.elements.iter().all(|e| !e.present)
    }

    /// Index of the element a unit names. None: the configuration has no such element, or the unit had it already.
    ///
    /// Indexed configurations are matched by order, because encoders number their elements at will. The last element of
    /// some streams is LFE where it should be a single channel, or the other way round; that is let pass, as FFmpeg does.
    pub(crate) fn find(&mut self, kind: Kind, tag: u8) -> Option<usize> {
        let index = if self.channel_config == 0 {
            self.elements.iter().position(|e| !e.present && kind.is(e) && e.place.tag == tag)?
        } else {
            let last = self.found + 1 == self.elements.len() && self.found >= 2;
            let element = self.elements.get(self.found)?;
            let fits = kind.is(element) || last && kind != Kind::Pair && !element.place.pair;
            fits.then_some(self.found)?
        };
        self.found += 1;
        Some(index)
    }
}

impl Kind {
    fn is(self, element: &Element) -> bool {
        let place = element.place;
        self == match (place.pair, place.place) {
            (true, _) => Kind::Pair,
            (false, Place::Lfe) => Kind::Lfe,
            (false, _) => Kind::Single,
        }
    }
}
