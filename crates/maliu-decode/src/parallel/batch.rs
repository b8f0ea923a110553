//! Packets that go through the line together, and what is made of them.

use maliu_core::packet::Packet;

use super::line::Load;
use crate::outcome::Outcome;

/// Neighbouring packets of a stream; `extra` is what its stages need besides.
pub(super) struct Batch<X> {
    pub(super) packets: Vec<Packet>,
    /// One for each packet, when the batch is finished.
    pub(super) outcomes: Vec<Outcome>,
    /// The stream was sought before the first packet.
    pub(super) reset: bool,
    /// How many common batches it weighs as much as.
    pub(super) load: usize,
    /// Only some of its packets were read.
    pub(super) again: bool,
    pub(super) extra: X,
}

impl<X> Load for Batch<X> {
    fn load(&self) -> usize {
        self.load
    }

    fn again(&self) -> bool {
        self.again
    }
}

/// How the packets of a codec are worked on.
pub(super) trait Plan: Send {
    /// Data that a batch carries for its stages.
    type Extra: Default + Send + 'static;

    /// Packets of a batch.
    fn length(&self) -> usize;

    /// Data that the stages need for the batch that starts here; `used` is that of an earlier batch.
    fn start(&mut self, used: Option<Self::Extra>) -> Self::Extra;
}
