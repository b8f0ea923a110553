//! program_config_element: which channel elements a program has, and where their loudspeakers stand (ISO/IEC 14496-3
//! §4.4.1.1).

use crate::{Error, bits::Bits};

/// Where a program's channel element sounds from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In front of the listener.
    Front,
    /// Beside the listener.
    Side,
    /// Behind the listener.
    Back,
    /// Low frequency effects.
    Lfe,
    /// Nowhere: a coupling channel, mixed into others.
    Coupling,
}

/// One channel element of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramElement {
    /// Where it sounds from.
    pub place: Place,
    /// Two channels; one otherwise.
    pub pair: bool,
    /// element_instance_tag, by which access units name it.
    pub tag: u8,
}

/// The channel elements of a program, in the order of the element: front, side, back, LFE, coupling.
#[derive(Clone, Copy)]
pub struct ProgramConfig {
    elements: [ProgramElement; MAX_ELEMENTS],
    len: u8,
}

impl ProgramConfig {
    /// The elements, in the order they were declared.
    pub fn elements(&self) -> &[ProgramElement] {
        self.elements.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Channels of the program, coupling channels not counted.
    pub fn channels(&self) -> u8 {
        let heard = self.elements().iter().filter(|e| e.place != Place::Coupling);
        heard.map(|e| 1 + u8::from(e.pair)).sum()
    }

    /// A program of these elements; those past the limit of the syntax are left out.
    pub(crate) fn of(list: &[ProgramElement]) -> ProgramConfig {
        let mut program = ProgramConfig { elements: [NOTHING; MAX_ELEMENTS], len: 0 };
        for (slot, element) in program.elements.iter_mut().zip(list) {
            *slot = *element;
            program.len += 1;
        }
        program
    }

    /// Reads what follows element_instance_tag. `origin` is the bit the comment's byte alignment is counted from.
    pub(crate) fn parse(bits: &mut Bits, origin: usize) -> Result<ProgramConfig, Error> {
        bits.skip(2 + 4); // object_type, sampling_frequency_index: the container's count
        let counts = [bits.read(4), bits.read(4), bits.read(4), bits.read(2)];
        let (data, coupling) = (bits.read(3), bits.read(4));
        for mixdown in [4, 4, 3] {
            if bits.flag() {
                bits.skip(mixdown);
            }
        }
        let mut program = ProgramConfig { elements: [NOTHING; MAX_ELEMENTS], len: 0 };
        let mut slots = program.elements.iter_mut();
        let places = [Place::Front, Place::Side, Place::Back, Place::Lfe];
        for (place, count) in places.into_iter().zip(counts) {
            for slot in slots.by_ref().take(count as usize) {
                let pair = place != Place::Lfe && bits.flag();
                *slot = ProgramElement { place, pair, tag: bits.read(4) as u8 };
            }
        }
        bits.skip(4 * data as usize);
        for slot in slots.take(coupling as usize) {
            bits.skip(1); // cc_element_is_ind_sw: each coupling element says it itself
            *slot = ProgramElement { place: Place::Coupling, pair: false, tag: bits.read(4) as u8 };
        }
        program.len = (counts.iter().sum::<u32>() + coupling) as u8;
        bits.skip((8 - (bits.position() - origin) % 8) % 8);
        let comment = bits.read(8) as usize;
        bits.skip(8 * comment);
        if bits.overrun() {
            return Err(Error::Malformed { what: "program config element cut short", bit: bits.position() });
        }
        Ok(program)
    }
}

impl core::fmt::Debug for ProgramConfig {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.elements()).finish()
    }
}

impl PartialEq for ProgramConfig {
    fn eq(&self, other: &Self) -> bool {
        self.elements() == other.elements()
    }
}

impl Eq for ProgramConfig {}

/// Counts that the syntax allows: 15 front, 15 side, 15 back, 3 LFE and 15 coupling elements.
const MAX_ELEMENTS: usize = 63;

const NOTHING: ProgramElement = ProgramElement { place: Place::Front, pair: false, tag: 0 };
