//! Vorbis I by `lewton`, with channels brought into the order of WAVE.

use lewton::{
    audio::{AudioReadError, PreviousWindowRight, read_audio_packet_generic},
    header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup},
};
use maliu_core::{
    error::{Error, Result},
    packet::Packet,
    stream::{Codec, StreamInfo},
    syntax::{vorbis, xiph},
};

use crate::{AudioFrame, Fault, Samples, Unit, frame::interleave, wall};

pub(crate) const CODECS: &[Codec] = &[Codec::Vorbis];

/// WAVE channel masks by number of channels (Vorbis I §4.3.9).
pub(crate) const MASKS: [u32; 9] = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

/// Where each WAVE channel stands in the order of Vorbis, by number of channels.
pub(crate) const ORDERS: [&[usize]; 9] = [
    &[],
    &[0],
    &[0, 1],
    &[0, 2, 1],
    &[0, 1, 2, 3],
    &[0, 2, 1, 3, 4],
    &[0, 2, 1, 5, 3, 4],
    &[0, 2, 1, 6, 5, 3, 4],
    &[0, 2, 1, 7, 5, 6, 3, 4],
];

pub(crate) fn make(info: &StreamInfo) -> Result<Box<dyn Unit>> {
    let refused = |what: &str| Error::unsupported(format!("Vorbis {what}"));
    let [first, _, third] = xiph::headers(&info.config).ok_or_else(|| refused("without its headers"))?;
    let facts = vorbis::Identification::parse(first)
        .ok_or_else(|| refused("with an identification header that cannot be read"))?;
    if !vorbis::are_codebooks_sane(third) {
        return Err(refused("with codebooks that cannot be read"));
    }
    let read = || {
        let head = read_header_ident(first).ok()?;
        let setup = read_header_setup(third, head.audio_channels, (head.blocksize_0, head.blocksize_1)).ok()?;
        Some((head, setup))
    };
    let headers = wall::inside(read).flatten().ok_or_else(|| refused("with a setup header that cannot be read"))?;
    let mask = MASKS.get(usize::from(facts.channels)).copied().unwrap_or(0);
    let shell = AudioFrame::new(facts.rate, facts.channels.into(), Samples::F32(Vec::new())).with_channel_mask(mask);
    Ok(Box::new(Vorbis { headers, before: PreviousWindowRight::new(), shell }))
}

struct Vorbis {
    headers: (IdentHeader, SetupHeader),
    /// The half of the packet before that overlaps with the next one.
    before: PreviousWindowRight,
    shell: AudioFrame,
}

impl Unit for Vorbis {
    /// The first packet gives nothing: it is half of what the second one needs. Nor does an empty packet.
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        if packet.data.is_empty() {
            return Ok(AudioFrame::nothing());
        }
        let ((head, setup), before) = (&self.headers, &mut self.before);
        let read = || read_audio_packet_generic::<Vec<Vec<f32>>>(head, setup, &packet.data, before);
        let planes = match wall::inside(read) {
            Some(Ok(planes)) => planes,
            Some(Err(error)) => return Err(Fault::Damaged(format!("vorbis: {}", text(&error)))),
            None => {
                self.reset();
                return Err(Fault::Damaged("vorbis: the decoding library gave up".to_owned()));
            }
        };
        let order = ORDERS.get(planes.len()).copied();
        let at = |channel: usize| order.and_then(|order| order.get(channel).copied()).unwrap_or(channel);
        let planes: Vec<&[f32]> =
            (0..planes.len()).filter_map(|channel| planes.get(at(channel)).map(Vec::as_slice)).collect();
        Ok(AudioFrame { samples: Samples::F32(interleave(&planes)), ..self.shell.clone() })
    }

    fn reset(&mut self) {
        self.before = PreviousWindowRight::new();
    }

    fn overshoots(&self) -> bool {
        true
    }
}

fn text(error: &AudioReadError) -> &'static str {
    match error {
        AudioReadError::EndOfPacket => "the packet ends too early",
        AudioReadError::AudioIsHeader => "a header among audio packets",
        _ => "damaged packet",
    }
}
