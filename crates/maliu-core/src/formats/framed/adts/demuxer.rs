//! ADTS frames → packets of raw data blocks.

use bytes::Bytes;

use super::super::{
    units::{Emit, Framed, Units, describe},
    walk::Walk,
};
use crate::{
    input::Input,
    remark::Remark,
    stream::{Audio, Codec, Media, StreamInfo},
    syntax::{
        aac::{AdtsFrames, AdtsHeader, Pce},
        framing::Frame,
    },
    time::Ticks,
};

pub use super::super::units::TIME_BASE;

/// Samples of one raw data block.
const FRAME_SIZE: u32 = 1024;

/// Samples that a decoder needs ahead: each block overlaps the one before.
const PREROLL: u32 = 1024;

/// Reads ADTS.
pub(super) type Adts = Framed<Blocks>;

/// Raw data blocks of frames.
#[derive(Default)]
pub(super) struct Blocks {
    stream: Option<StreamInfo>,
    /// Hz by which times go on: the first frame's, whatever rates follow, as in the reference.
    clock: Option<u32>,
}

impl Units for Blocks {
    type Frames = AdtsFrames;

    fn frame(&mut self, frame: Frame<AdtsHeader>, walk: &mut Walk<AdtsFrames>, input: &mut Input) {
        let (header, length, at) = (frame.header, frame.length, input.offset());
        let rate = *self.clock.get_or_insert(header.sample_rate().max(1));
        let block = FRAME_SIZE * (TIME_BASE.den.get() / rate);
        let whole = Ticks(i64::from(block) * i64::from(header.blocks));
        if length == header.size() {
            input.remark(Remark::Junk { bytes: None }, "frame without content skipped");
            input.skip(length);
            return;
        }
        if walk.passes(length, whole, input) {
            return;
        }
        let mut emit = Emit::of(walk, at, whole);
        let Some(frame) = input.take(length) else { return };
        emit.new_config = self.describe(&header, &frame, walk);
        let blocks = header.blocks_of(&frame);
        if blocks.is_none() && header.crc && header.blocks > 1 {
            input.warn_at(at, "raw data block positions make no sense: the blocks stay together, checksums among them");
        }
        match &blocks {
            Some(blocks) => {
                emit.duration = Ticks(block.into());
                for &(from, to) in blocks.get(..usize::from(header.blocks)).unwrap_or_default() {
                    emit.unit(frame.slice(from..to), walk);
                }
            }
            None => emit.unit(frame.slice(header.size()..length), walk),
        }
    }
}

impl Blocks {
    /// Queues a description of the stream if the frame changes it. Returns the configuration when it replaces another.
    fn describe(&mut self, header: &AdtsHeader, frame: &Bytes, walk: &mut Walk<AdtsFrames>) -> Option<Bytes> {
        let mut config = header.config();
        if header.channel_config == 0 {
            config.pce = frame.get(header.size()..).and_then(Pce::leading);
        }
        let known = self.stream.as_ref();
        let bytes = Bytes::from(config.build());
        let repeated = known.is_some_and(|known| {
            // Without an element of its own a frame keeps the channels of the one before.
            known.config == bytes || (header.channel_config == 0 && config.pce.is_none() && same_but_pce(known, &bytes))
        });
        if repeated {
            return None;
        }
        let replaces = known.is_some();
        let audio =
            Audio { frame_size: FRAME_SIZE, preroll: PREROLL, ..Audio::new(header.sample_rate(), config.channels()) };
        let mut stream = StreamInfo::new(Codec::Aac, TIME_BASE, Media::Audio(audio));
        (stream.config, stream.profile) = (bytes.clone(), Some(header.profile));
        self.stream = Some(describe(stream, walk));
        replaces.then_some(bytes)
    }
}

/// Whether the fixed two bytes of both configurations are the same.
fn same_but_pce(known: &StreamInfo, config: &[u8]) -> bool {
    known.config.get(..2) == config.get(..2)
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};
    use core::task::Poll;

    use super::*;
    use crate::{
        bits::BitWriter,
        format::{Demuxer, Event},
        packet::Packet,
    };

    const HEADER: AdtsHeader = AdtsHeader {
        mpeg2: false,
        crc: false,
        profile: 1,
        rate_index: 4,
        channel_config: 2,
        frame_length: 0,
        fullness: 0x7ff,
        blocks: 1,
    };

    /// A frame whose header is followed by these bytes (positions and checksums among them).
    fn frame(header: AdtsHeader, rest: &[u8]) -> Vec<u8> {
        let header = AdtsHeader { frame_length: 7 + rest.len(), ..header };
        [&header.build(), rest].concat()
    }

    fn read(bytes: &[u8]) -> (Vec<StreamInfo>, Vec<Packet>, Vec<alloc::string::String>) {
        let (mut input, mut adts) = (Input::new(), Adts::default());
        input.push(bytes);
        input.end();
        let (mut streams, mut packets) = (vec![], vec![]);
        loop {
            match adts.poll(&mut input).unwrap() {
                Poll::Ready(Event::Stream(_, info)) => streams.push(*info),
                Poll::Ready(Event::Packet(packet)) => packets.push(packet),
                Poll::Ready(Event::End) => break,
                _ => {}
            }
        }
        let warnings = input.take_warnings().0.into_iter().map(|warning| warning.what.into_owned());
        (streams, packets, warnings.collect())
    }

    #[test]
    fn blocks_with_positions_part_and_others_stay_together() {
        let three = AdtsHeader { crc: true, blocks: 3, ..HEADER };
        let (_, packets, warnings) = read(&frame(three, b"\0\x04\0\x07\xcc\xccab\xcc\xccd\xcc\xccef\xcc\xcc"));
        let got: Vec<_> = packets.iter().map(|packet| (&packet.data[..], packet.pts.unwrap().0)).collect();
        assert_eq!(got, [(&b"ab"[..], 0), (b"d", 655_360), (b"ef", 1_310_720)]);
        assert!(warnings.is_empty());
        let (_, packets, _) = read(&frame(AdtsHeader { blocks: 3, ..HEADER }, b"abdef"));
        assert_eq!((&packets[0].data[..], packets[0].duration.unwrap().0), (&b"abdef"[..], 3 * 655_360));
        let (_, packets, warnings) = read(&frame(three, b"\0\xff\0\x07\xcc\xccab\xcc\xccd"));
        assert_eq!((packets.len(), &packets[0].data[..], warnings.len()), (1, &b"ab\xcc\xccd"[..], 1));
    }

    #[test]
    fn frames_without_content_take_no_time() {
        let (_, packets, warnings) = read(&[frame(HEADER, b"x"), frame(HEADER, b""), frame(HEADER, b"y")].concat());
        assert_eq!((packets.len(), packets[1].pts, warnings.len()), (2, Some(Ticks(655_360)), 1));
    }

    #[test]
    fn a_program_config_element_goes_into_the_configuration() {
        let pce = Pce { front: vec![(true, 0)], back: vec![(true, 1)], ..Pce::default() };
        let mut block = BitWriter::new();
        block.write(3, 5);
        pce.write(&mut block);
        let header = AdtsHeader { channel_config: 0, ..HEADER };
        let (streams, packets, _) = read(&[frame(header, &block.finish()), frame(header, &[0x20, 1])].concat());
        let config = crate::syntax::aac::AudioSpecificConfig::parse(&streams[0].config).unwrap();
        assert_eq!((streams.len(), packets.len(), streams[0].as_audio().unwrap().channel_count()), (1, 2, 4));
        assert_eq!(config.pce, Some(pce));
    }

    #[test]
    fn a_change_of_rate_describes_the_stream_again_and_keeps_the_clock() {
        let other = AdtsHeader { rate_index: 3, channel_config: 1, ..HEADER };
        let (streams, packets, _) =
            read(&[frame(HEADER, b"a"), frame(HEADER, b"b"), frame(other, b"c"), frame(other, b"d")].concat());
        let audio: Vec<_> = streams.iter().map(|s| s.as_audio().map(|a| (a.rate(), a.channel_count()))).collect();
        assert_eq!(audio, [Some((44_100, 2)), Some((48_000, 1))]);
        assert_eq!(packets[2].side.new_config().map(|config| &config[..]), Some(&[0x11, 0x88][..]));
        assert_eq!((packets[3].pts, packets[3].side.new_config()), (Some(Ticks(3 * 655_360)), None));
    }

    #[test]
    fn a_length_that_lies_swallows_no_frames() {
        let good = frame(HEADER, &[0x21; 60]);
        let mut liar = good.clone();
        // 8191 bytes, as far as the header goes.
        (liar[3], liar[4], liar[5]) = (liar[3] | 3, 0xff, 0xff);
        for behind in [20, 200] {
            let bytes = [good.repeat(3), liar.clone(), good.repeat(behind)].concat();
            let (_, packets, warnings) = read(&bytes);
            assert_eq!((packets.len(), warnings.len()), (3 + behind, 1), "{warnings:?}");
        }
    }

    #[test]
    fn a_frame_is_out_as_soon_as_it_is_whole() {
        let (mut input, mut adts) = (Input::new(), Adts::default());
        input.push(&frame(HEADER, b"abc"));
        assert!(matches!(adts.poll(&mut input), Ok(Poll::Ready(Event::Stream(..)))));
        assert!(matches!(adts.poll(&mut input), Ok(Poll::Ready(Event::Packet(_)))));
        assert_eq!(adts.poll(&mut input), Ok(Poll::Pending));
    }
}
