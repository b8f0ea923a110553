//! The channel elements of a stream, found by what a unit calls them.

use std::sync::Arc;

use crate::channel::Syntax;
use crate::config::{Config, Place, ProgramConfig, ProgramElement};
use crate::parsed::Parsed;
use crate::plan::Plan;
use crate::{bits::Bits, sbr};

/// State of a program that parsing carries from unit to unit.
pub(crate) struct Program {
    /// 0: elements are known by their tags; else by their order.
    pub(crate) channel_config: u8,
    pub(crate) declared: ProgramConfig,
    pub(crate) plan: Arc<Plan>,
    /// The SBR data of elements, and of coupling elements; none without SBR.
    pub(crate) payloads: Vec<Payload>,
    pub(crate) coupled_payloads: Vec<Payload>,
    /// Elements of the unit at hand that were found by order.
    found: usize,
}

/// The SBR data of a channel element.
pub(crate) struct Payload {
    parser: sbr::Parser,
    /// The unit at hand has data for it.
    fed: bool,
}

/// Name of a channel element in a unit (id_syn_ele).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    Pair,
    Lfe,
}

impl Program {
    pub(crate) fn new(channel_config: u8, declared: ProgramConfig, syntax: &Syntax) -> Program {
        let plan = Arc::new(Plan::new(channel_config, &declared, *syntax));
        let (payloads, coupled_payloads) = (Vec::new(), Vec::new());
        Program { channel_config, declared, plan, payloads, coupled_payloads, found: 0 }
    }

    /// Starts SBR, from anew.
    pub(crate) fn extend(&mut self, config: &Config) {
        self.plan = Arc::new(self.plan.extended(config));
        let mut header = 0;
        let payload = |(place, _): &(ProgramElement, usize)| {
            let payload = Payload::new(config, 1 + usize::from(place.pair), header);
            header += usize::from(place.place != Place::Lfe);
            payload
        };
        self.payloads = self.plan.elements.iter().map(payload).collect();
        self.coupled_payloads = self.plan.couplings.iter().map(|_| Payload::new(config, 1, usize::MAX)).collect();
    }

    /// Makes all later stages start from anew.
    pub(crate) fn restart(&mut self) {
        self.plan = Arc::new((*self.plan).clone());
    }

    /// Starts a unit: forgets which elements the last one had.
    pub(crate) fn begin_unit(&mut self) {
        self.found = 0;
        self.payloads.iter_mut().chain(&mut self.coupled_payloads).for_each(|payload| payload.fed = false);
    }

    /// Index of the element a unit names. None: the configuration has no such element, or the unit had it already.
    ///
    /// Indexed configurations are matched by order, because encoders number their elements at will. The last element of
    /// some streams is LFE where it should be a single channel, or the other way round; that is let pass, as FFmpeg
    /// does.
    pub(crate) fn find(&mut self, kind: Kind, tag: u8, unit: &Parsed) -> Option<usize> {
        let index = if self.channel_config == 0 {
            unit.elements.iter().position(|e| !e.present && kind.is(e.place) && e.place.tag == tag)?
        } else {
            let last = self.found + 1 == unit.elements.len() && self.found >= 2;
            let place = unit.elements.get(self.found)?.place;
            let fits = kind.is(place) || last && kind != Kind::Pair && !place.pair;
            fits.then_some(self.found)?
        };
        self.found += 1;
        Some(index)
    }
}

impl Kind {
    fn is(self, place: ProgramElement) -> bool {
        self == match (place.pair, place.place) {
            (true, _) => Kind::Pair,
            (false, Place::Lfe) => Kind::Lfe,
            (false, _) => Kind::Single,
        }
    }
}

impl Payload {
    /// For an element of one channel or two. `header`: which of the headers in an ELD configuration is its own.
    fn new(config: &Config, channels: usize, header: usize) -> Payload {
        let low_delay = config.low_delay_sbr.as_ref();
        let ps = channels == 1 && config.ps != crate::Signal::Absent;
        let frame_length = usize::from(config.frame_length);
        let mut parser = sbr::Parser::new(config.sample_rate, channels, frame_length, low_delay.is_some(), ps);
        if let Some((low_delay, start)) = low_delay.and_then(|l| l.headers.get(header).map(|start| (l, *start))) {
            let mut bits = Bits::new(&low_delay.config);
            bits.skip(start);
            // A header that fits no bands leaves the core alone.
            let _ = parser.header(&mut bits);
        }
        Payload { parser, fed: false }
    }

    /// Reads the data of a unit, which ends with `bits`, or where low delay data does. Bad data counts as missing, and
    /// gives false.
    pub(crate) fn parse(&mut self, bits: &mut Bits, crc: bool) -> bool {
        self.fed = self.parser.parse(bits, crc).is_ok();
        if !self.fed {
            self.parser.lost();
        }
        self.fed
    }

    /// Ends a unit: says what SBR has to do for it.
    pub(crate) fn tell(&mut self, unit: &mut sbr::Unit) {
        if !self.fed {
            self.parser.lost();
        }
        self.fed = false;
        self.parser.tell(unit);
    }

    /// Whether one channel has become two.
    pub(crate) fn has_ps(&self) -> bool {
        self.parser.has_ps()
    }
}
