//! Packets of a file decoded one after another, and by several threads: what came of each packet, and the report.

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
    stream::{Kind, StreamInfo},
};
use maliu_decode::{AudioFrame, Options, Parallel, Samples, decoder_for};

/// The first audio stream of a file, and its packets up to where the stream is described anew.
pub(crate) fn packets(data: &[u8]) -> Option<(StreamInfo, Vec<Packet>)> {
    let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
    input.push(data);
    input.end();
    let (mut found, mut packets) = (None, Vec::new());
    while let Ok(event) = reader.poll(&mut input) {
        match event {
            Poll::Ready(Event::Stream(index, info))
                if info.media.kind() == Kind::Audio
                    && packets.is_empty()
                    && found.as_ref().is_none_or(|(known, _)| *known == index) =>
            {
                found = Some((index, *info));
            }
            Poll::Ready(Event::Stream(index, _)) if found.as_ref().is_some_and(|(known, _)| *known == index) => break,
            Poll::Ready(Event::Packet(packet)) if found.as_ref().is_some_and(|(known, _)| *known == packet.stream) => {
                packets.push(packet);
            }
            Poll::Ready(Event::End) | Poll::Pending => break,
            _ => {}
        }
    }
    found.map(|(_, info)| (info, packets))
}

/// Output for one packet, and at the end the report.
pub(crate) type Answers = Vec<String>;

/// By one thread, with the decoder that most callers use.
pub(crate) fn serial(info: &StreamInfo, packets: &[Packet]) -> Answers {
    let mut decoder = match decoder_for(info) {
        Ok(decoder) => decoder,
        Err(error) => return vec![error.to_string()],
    };
    let mut said: Answers = packets.iter().map(|packet| told(decoder.decode(packet))).collect();
    said.push(format!("{:?}", decoder.report()));
    said
}

/// By several, with all the look-ahead there is.
pub(crate) fn parallel(info: &StreamInfo, packets: &[Packet], threads: usize) -> Answers {
    let mut decoder = match Parallel::new(info, Options::default(), threads) {
        Ok(decoder) => decoder,
        Err(error) => return vec![error.to_string()],
    };
    let mut said = Answers::new();
    for packet in packets {
        decoder.push(packet.clone());
        while let Some(answer) = decoder.poll() {
            said.push(told(answer));
        }
    }
    while let Some(answer) = decoder.finish() {
        said.push(told(answer));
    }
    said.push(format!("{:?}", decoder.report()));
    said
}

/// The packets with a byte changed in every third, and every ninth cut short.
#[allow(dead_code)] // One of those who use this module does not.
pub(crate) fn damaged(packets: &[Packet]) -> Vec<Packet> {
    let mut state = 0x1234_5678u32;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % limit.max(1)
    };
    let damage = |(n, packet): (usize, &Packet)| {
        let mut data = packet.data.to_vec();
        if n % 3 == 2 {
            let at = below(data.len());
            data.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << below(8));
        }
        if n % 9 == 8 {
            data.truncate(below(data.len()));
        }
        packet.clone().with_data(data)
    };
    packets.iter().enumerate().map(damage).collect()
}

/// All of a frame but its samples, and a digest of those, bit for bit.
fn told(answer: maliu_core::error::Result<Option<AudioFrame>>) -> String {
    let frame = match answer {
        Ok(Some(frame)) => frame,
        other => return format!("{other:?}"),
    };
    let AudioFrame { sample_rate, channels, channel_mask, time, samples, .. } = frame;
    let add = |digest: u64, bits: u64| (digest ^ bits).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let digest = match &samples {
        Samples::I32(samples) => samples.iter().fold(0, |digest, sample| add(digest, *sample as u64)),
        Samples::F32(samples) => samples.iter().fold(1, |digest, sample| add(digest, sample.to_bits().into())),
        Samples::F64(samples) => samples.iter().fold(2, |digest, sample| add(digest, sample.to_bits())),
    };
    format!("{sample_rate} Hz {channels} channels {channel_mask:#x} {time:?} {} samples {digest:016x}", samples.len())
}
