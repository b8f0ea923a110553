//! The fourth stage: samples of subbands to sound. Carries the last slots of the frames before, which a frame can also
//! bring along.

use super::bank::Bank;
use crate::parsed::Parsed;

/// Turns the subbands of frames into samples, in their order from any frame on.
#[derive(Default)]
pub struct Polyphase {
    banks: [Bank; 2],
    /// The next frame follows another one than the last.
    elsewhere: bool,
}

impl Polyphase {
    /// A filter bank at the start of a stream.
    pub fn new() -> Polyphase {
        Polyphase::default()
    }

    /// The next frame may follow any other than the last one: what it brings of those before it is taken over, as
    /// [`Subbands::begin`](crate::Subbands::begin) makes it.
    pub fn begin(&mut self) {
        self.elsewhere = true;
    }

    /// Makes the samples of a frame that [`Subbands`](crate::Subbands) is done with.
    pub fn run(&mut self, unit: &mut Parsed) {
        let Some(header) = unit.header else { return };
        if std::mem::take(&mut self.elsewhere) {
            self.banks.iter_mut().zip(unit.before.iter()).for_each(|(bank, before)| bank.follow(before));
        } else if unit.anew {
            self.banks.iter_mut().for_each(Bank::clear);
        }
        let rows = if unit.direct { &unit.spectrum.rows } else { &*unit.slots };
        let channels = self.banks.iter_mut().zip(rows).zip(unit.output.iter_mut());
        for ((bank, rows), output) in channels.take(header.channels()) {
            bank.run(&rows[..header.slots()], output);
            bank.keep(header.slots());
        }
    }
}
