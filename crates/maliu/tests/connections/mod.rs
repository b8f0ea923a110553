//! Connections of layouts: written, and read in slices.
#![allow(dead_code)]

use std::task::Poll;

use bytes::Bytes;
use maliu::{
    StreamInfo, Ticks, TimeBase,
    format::{Demuxer, Event, Muxer},
    input::Input,
    layout::{self, PRESETS, Reader, Writer},
    output::{Edit, Output, Reach},
    packet::Packet,
    stream::{Codec, Media, Metadata, Video},
};

/// Output of a reader: packets, and places and lengths of skipped bytes.
pub(crate) fn read(layout: &layout::Layout, data: &[u8], slice: usize) -> (Vec<Packet>, Vec<String>, Vec<StreamInfo>) {
    let mut reader = Reader::new(layout.clone()).unwrap();
    let (mut input, mut slices) = (Input::new(), data.chunks(slice));
    let (mut packets, mut warnings, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let event = reader.poll(&mut input).unwrap();
        warnings.extend(input.take_warnings().0.into_iter().map(|w| format!("{} {}", w.at, w.what)));
        match event {
            Poll::Pending => match slices.next() {
                Some(slice) => input.push(slice),
                None => input.end(),
            },
            Poll::Ready(Event::Packet(packet)) => packets.push(packet),
            Poll::Ready(Event::Stream(index, info)) => {
                streams.truncate(index);
                streams.push(*info);
            }
            Poll::Ready(Event::End) => return (packets, warnings, streams),
            Poll::Ready(Event::Metadata(_)) => {}
        }
    }
}

pub(crate) fn random(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state >> 8
}

/// Access units of H.264: start code, an IDR slice every tenth, bytes that hold no start code.
pub(crate) fn access_unit(n: usize, state: &mut u32) -> Packet {
    let key = n.is_multiple_of(10);
    let mut data = vec![0, 0, 0, 1, if key { 0x65 } else { 0x41 }];
    data.extend((0..40 + random(state) % 700).map(|_| (random(state) % 250 + 3) as u8));
    Packet::of(0, Bytes::from(data)).at(Ticks(n as i64 * 40_000)).with_key(key)
}

/// A connection in `layout`: its bytes and where each message starts, and the packets in it.
pub(crate) fn connection(layout: &layout::Layout, count: usize) -> (Vec<u8>, Vec<usize>, Vec<Packet>) {
    let codec = layout.body.codec.unwrap_or(Codec::H264);
    let mut info = StreamInfo::new(codec, TimeBase::MICROS, Media::Video(Video::new(64, 48)));
    if layout.header.iter().any(|field| field.role == Some(layout::Role::Config)) {
        info.config = Bytes::from_static(b"\0\0\0\x01\x67\x42\0\x0a\0\0\0\x01\x68\xce");
    }
    let (mut writer, mut out) = (Writer::new(layout.clone()).unwrap(), Output::new(Reach::Append));
    let mut infos = [info];
    writer.start(&mut infos, &Metadata::default(), &mut out).unwrap();
    let (mut bytes, mut starts, mut packets, mut state) = (Vec::new(), Vec::new(), Vec::new(), 7);
    drain(&mut out, &mut bytes);
    for n in 0..count {
        let mut packet = access_unit(n, &mut state);
        if matches!(layout.body.kind, layout::BodyKind::Raw) && layout.name.starts_with("r") {
            packet.data =
                Bytes::from([&[0x80, 96, 0, n as u8, 0, 0, 1, 1, 0xca, 0xfe, 0xba, 0xbe], &packet.data[..]].concat());
        }
        let scale =
            |t: Option<Ticks>| t.map(|t| TimeBase::MICROS.rescale(t, infos[0].time_base, maliu::time::Rounding::Near));
        (packet.pts, packet.dts) = (scale(packet.pts), scale(packet.dts));
        starts.push(bytes.len());
        writer.packet(&packet, &mut out).unwrap();
        drain(&mut out, &mut bytes);
        packets.push(packet);
    }
    starts.push(bytes.len());
    (bytes, starts, packets)
}

pub(crate) fn drain(out: &mut Output, bytes: &mut Vec<u8>) {
    while let Some(edit) = out.next_edit() {
        let Edit::Append(piece) = edit else { panic!("a layout only appends") };
        piece.parts.iter().for_each(|part| bytes.extend_from_slice(part));
    }
}

/// The presets that can be written with H.264 in them; others are only read, or carry something else.
pub(crate) fn written() -> impl Iterator<Item = &'static layout::Preset> {
    PRESETS.iter().filter(|preset| {
        let layout = preset.layout().unwrap();
        carries(&layout, Codec::H264) && Writer::new(layout).is_ok()
    })
}

/// Whether a layout has a word for a codec, or needs none.
pub(crate) fn carries(layout: &layout::Layout, codec: Codec) -> bool {
    let mut fields =
        layout.preamble.iter().chain(&layout.header).filter(|field| field.role == Some(layout::Role::Codec));
    let names = |field: &layout::Field| field.map.iter().any(|(_, meaning)| *meaning == layout::Meaning::Codec(codec));
    fields.clone().next().is_none() || fields.any(names)
}

pub(crate) fn datas(packets: &[Packet]) -> Vec<&Bytes> {
    packets.iter().map(|packet| &packet.data).collect()
}
