//! Parts of a stream, as the parser found them: every later stage sets up its state by this plan.

use crate::ChannelLayout;
use crate::channel::Syntax;
use crate::config::{Config, Place, ProgramConfig, ProgramElement, Signal};
use crate::layout;

/// The channel elements of a stream. Another plan, even an equal one, means state from anew.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) syntax: Syntax,
    pub(crate) layout: ChannelLayout,
    /// Elements that are heard, in the order of the configuration, each with its first output channel.
    pub(crate) elements: Vec<(ProgramElement, usize)>,
    /// Tags of the coupling channel elements.
    pub(crate) couplings: Vec<u8>,
    /// Lines of a unit do not depend on units before it, nor its elements on each other.
    pub(crate) apart: bool,
    /// With SBR in one of the elements, the others are resampled by theirs.
    pub(crate) extension: Option<Extension>,
}

/// Values that SBR decoders of a stream share.
#[derive(Clone, Copy)]
pub(crate) struct Extension {
    pub(crate) low_delay: bool,
    /// The output has the rate of the core.
    pub(crate) downsampled: bool,
    /// One channel may become two.
    pub(crate) ps_allowed: bool,
}

impl Plan {
    /// The plan of a program, without SBR.
    pub(crate) fn new(channel_config: u8, declared: &ProgramConfig, syntax: Syntax) -> Plan {
        let arrangement = layout::arrange(channel_config, declared);
        let places = declared.elements().iter();
        let heard = places.clone().zip(&arrangement.first).filter_map(|(place, first)| first.map(|f| (*place, f)));
        let couplings: Vec<u8> = places.filter(|e| e.place == Place::Coupling).map(|e| e.tag).collect();
        Plan {
            apart: couplings.is_empty() && !syntax.predicts() && !syntax.low_delay(),
            syntax,
            layout: arrangement.layout,
            elements: heard.collect(),
            couplings,
            extension: None,
        }
    }

    /// The same with SBR.
    pub(crate) fn extended(&self, config: &Config) -> Plan {
        let extension = Extension {
            low_delay: config.low_delay_sbr.is_some(),
            downsampled: config.downsampled(),
            ps_allowed: config.ps != Signal::Absent,
        };
        Plan { extension: Some(extension), ..self.clone() }
    }
}
