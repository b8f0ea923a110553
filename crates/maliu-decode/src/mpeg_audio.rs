//! MPEG-1/2/2.5 audio, layers I to III, through maliu-mpa (ISO/IEC 11172-3, ISO/IEC 13818-3).

use maliu_core::{
    error::Result,
    packet::{Flags, Packet},
    stream::{Codec, StreamInfo},
};
use maliu_mpa::{Decoder, Error, Frame, Header};

use crate::{AudioFrame, Fault, Samples, Unit, frame::interleave};

pub(crate) const CODECS: &[Codec] = &[Codec::Mp1, Codec::Mp2, Codec::Mp3];

pub(crate) fn make(_: &StreamInfo) -> Result<Box<dyn Unit>> {
    Ok(Box::new(MpegAudio::default()))
}

#[derive(Default)]
struct MpegAudio {
    decoder: Decoder,
    sequence: Sequence,
}

/// How packets follow each other in the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequence {
    /// Where the last packet ended.
    end: Option<u64>,
    /// Packets in a row without bytes between them.
    row: u32,
    /// Of the last packet that was not flagged.
    kind: Option<Header>,
}

/// How a packet is to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// As it is.
    Sure,
    /// Bytes were passed over before it where frames had followed each other: what it holds may be junk.
    Doubtful,
    /// It is not to be decoded: flagged as damaged and of another layer or rate than the stream.
    Foreign,
    /// The input ends inside it: whole frames are decoded.
    Cut,
}

/// Packets in a row after which bytes between packets are unusual.
const ROW: u32 = 4;

impl Sequence {
    /// Judges the next packet.
    pub(crate) fn judge(&mut self, packet: &Packet) -> Judgement {
        let follows = packet.position.is_some() && packet.position == self.end;
        let in_row = self.row >= ROW;
        self.row = if follows { self.row.saturating_add(1) } else { 0 };
        self.end = packet.position.map(|at| at.saturating_add(packet.data.len() as u64));
        let header = Header::parse(&packet.data);
        if !packet.flags.has(Flags::CORRUPT) {
            self.kind = header;
            return if in_row && !follows { Judgement::Doubtful } else { Judgement::Sure };
        }
        let short = |header: Header| header.frame_length().is_some_and(|length| packet.data.len() < length);
        match (header, self.kind) {
            (Some(header), _) if short(header) => Judgement::Cut,
            (Some(header), Some(kind)) if !header.same_rate(&kind) => Judgement::Foreign,
            _ => Judgement::Doubtful,
        }
    }
}

/// The fault of a packet that is not decoded because it does not fit the stream.
pub(crate) fn foreign() -> Fault {
    Fault::Damaged("mpeg audio: a frame of another layer or rate than the stream".to_owned())
}

impl Unit for MpegAudio {
    fn decode(&mut self, packet: &Packet) -> std::result::Result<AudioFrame, Fault> {
        match self.sequence.judge(packet) {
            Judgement::Cut => return Ok(AudioFrame::nothing()),
            Judgement::Foreign => return Err(foreign()),
            Judgement::Doubtful => self.decoder.doubt(),
            Judgement::Sure => {}
        }
        self.decoder.decode(&packet.data).map(|frame| interleaved(&frame)).map_err(fault)
    }

    fn length(&self, packet: &Packet) -> Option<usize> {
        length(packet)
    }

    fn conceal(&mut self) -> Option<AudioFrame> {
        heard(&self.decoder.conceal())
    }

    fn overshoots(&self) -> bool {
        true
    }

    fn reset(&mut self) {
        self.decoder.reset();
        self.sequence = Sequence::default();
    }
}

/// Samples per channel of a packet, by its header.
pub(crate) fn length(packet: &Packet) -> Option<usize> {
    Header::parse(&packet.data).map(|header| header.samples())
}

pub(crate) fn fault(error: Error) -> Fault {
    Fault::Damaged(error.to_string())
}

/// Audio in the place of a damaged packet, if there is any.
pub(crate) fn heard(frame: &Frame) -> Option<AudioFrame> {
    (frame.channels() > 0).then(|| interleaved(frame))
}

pub(crate) fn interleaved(frame: &Frame) -> AudioFrame {
    let samples = match frame.channels() {
        1 => frame.channel(0).to_vec(),
        _ => interleave(&[frame.channel(0), frame.channel(1)]),
    };
    AudioFrame::new(frame.sample_rate, frame.channels() as u16, Samples::F32(samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(position: u64, data: &[u8], flags: Flags) -> Packet {
        let mut data = data.to_vec();
        data.resize(417, 0);
        Packet::of(0, data).with_flags(flags).with_position(position)
    }

    #[test]
    fn a_gap_counts_only_where_packets_followed_each_other() {
        const PLAIN: &[u8] = &[0xff, 0xfb, 0x90, 0xc4];
        let judge = |positions: &[u64]| {
            let mut sequence = Sequence::default();
            let judged = positions.iter().map(|at| sequence.judge(&packet(*at, PLAIN, Flags::KEY)));
            judged.fold(None, |_, last| Some(last))
        };
        let row: Vec<u64> = (0..6).map(|n| 417 * n).collect();
        assert_eq!(judge(&row), Some(Judgement::Sure));
        assert_eq!(judge(&[&row[..], &[9999]].concat()), Some(Judgement::Doubtful));
        assert_eq!(judge(&[0, 500, 1000, 1500, 2000, 2500]), Some(Judgement::Sure), "a container");
        let mut sequence = Sequence::default();
        sequence.judge(&packet(0, PLAIN, Flags::KEY));
        let other = packet(417, &[0xff, 0xfb, 0x54, 0xc4], Flags::CORRUPT);
        assert_eq!(sequence.judge(&other), Judgement::Foreign);
        assert_eq!(sequence.judge(&packet(834, PLAIN, Flags::CORRUPT)), Judgement::Doubtful);
        let mut cut = packet(1251, PLAIN, Flags::CORRUPT);
        cut.data = cut.data.slice(..400);
        assert_eq!(sequence.judge(&cut), Judgement::Cut);
    }
}
