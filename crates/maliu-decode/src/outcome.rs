//! The outcome of one packet, before it is trimmed and damage is filled.

use maliu_core::packet::Packet;

use crate::{AudioFrame, Fault, Profile, Unit};

/// Result of a unit decoder for a packet, with facts that it alone knows.
pub(crate) struct Outcome {
    pub(crate) sound: std::result::Result<AudioFrame, Fault>,
    /// For a damaged packet: sound in its place.
    pub(crate) concealed: Option<AudioFrame>,
    /// For a damaged packet: samples per channel that it would have given.
    pub(crate) length: Option<usize>,
    /// Samples per channel at the start that the packet says are encoder delay.
    pub(crate) delay: usize,
    /// Whether the sound may go beyond full scale by the decoder's own mistake.
    pub(crate) overshoots: bool,
    /// Profile of the audio, as far as the packets up to this one have shown.
    pub(crate) profile: Option<Profile>,
}

impl Outcome {
    /// Decodes a packet.
    pub(crate) fn of(unit: &mut dyn Unit, packet: &Packet) -> Self {
        let (bytes, most) = (packet.data.len(), unit.most_bytes());
        let sound = match bytes > most {
            true => Err(Fault::Damaged(format!("a packet of {bytes} bytes; at most {most} are decoded"))),
            false => unit.decode(packet),
        };
        let damaged = matches!(sound, Err(Fault::Damaged(_)));
        Self {
            concealed: if damaged { unit.conceal() } else { None },
            length: if damaged { unit.length(packet) } else { None },
            delay: unit.delay(packet),
            overshoots: unit.overshoots(),
            profile: unit.profile(),
            sound,
        }
    }
}
