//! Fuzzing of a format, a layout or a decoder: bytes are read in ways that must agree.

use std::task::Poll;

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
};

pub mod mux;
pub mod relay;
pub mod rtmp;
pub mod rtp;

/// Reads `data` as the format `name` (or detects it when `None`), whole and in slices: both must say the same.
/// The first byte of `data` sets the slices.
pub fn read(name: Option<&str>, data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let format = name.map(|name| formats::named(name).expect("the format is listed"));
    let whole = events(format, data, usize::MAX);
    let split = events(format, data, usize::from(*first).pow(2) / 16 + 1);
    assert_eq!(whole, split);
}

/// Reads `data` as the format that its first byte picks from the list of all that are read.
pub fn listed(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let formats: Vec<_> = formats::ALL.iter().filter(|format| format.demuxer.is_some()).collect();
    read(Some(formats[usize::from(*first) % formats.len()].name), data);
}

/// The packets that reading `data` gives, and the error that ended it.
pub fn events(format: Option<&'static Format>, data: &[u8], slice: usize) -> (Vec<Packet>, Option<String>) {
    let reader = match format {
        Some(format) => PacketReader::of(format, &[]).expect("the format is read"),
        None => PacketReader::detect(formats::ALL),
    };
    drain(reader, data, slice)
}

fn drain(mut reader: PacketReader, data: &[u8], slice: usize) -> (Vec<Packet>, Option<String>) {
    let (mut input, mut packets, mut slices) = (Input::new(), Vec::new(), data.chunks(slice.max(1)));
    for _ in 0..data.len() * 8 + 10_000 {
        match reader.poll(&mut input) {
            Ok(Poll::Pending) => match slices.next() {
                Some(slice) => input.push(slice),
                None => {
                    assert!(!input.ended(), "NeedBytes after the end");
                    input.end();
                }
            },
            Ok(Poll::Ready(Event::Packet(packet))) => packets.push(packet),
            Ok(Poll::Ready(Event::End)) => return (packets, None),
            Ok(_) => {}
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
    panic!("no progress");
}

/// Reads `data` by the preset that its first byte names, in two splits that must agree; explains it, too.
pub fn layout(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let presets = maliu::layout::PRESETS;
    let layout = presets[usize::from(*first) % presets.len()].layout().expect("presets are sound");
    let read = |slice| drain(maliu::layout::reader(layout.clone()).expect("presets are sound"), data, slice);
    assert_eq!(read(usize::MAX), read(usize::from(*first) + 1));
    maliu::layout::explain(&layout, data, 1000);
}

/// Guesses a layout for `data`; what is guessed is sound, reads the capture and its own text the same.
pub fn layout_guess(data: &[u8]) {
    let Some(guess) = maliu::layout::guess(data) else { return };
    let text = maliu::layout::text(&guess.layout);
    assert_eq!(maliu::layout::parse(&text).as_ref(), Ok(&guess.layout), "{text}");
    let read = |slice| drain(maliu::layout::reader(guess.layout.clone()).expect("checked"), data, slice);
    assert_eq!(read(data.len().max(1)), read(7));
}

/// Takes `data` as the text of a layout; if it is sound, reads the text itself by it and exports a dissector.
pub fn layout_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(layout) = maliu::layout::parse(text) else { return };
    maliu::layout::dissector(&layout, 1);
    let read = |slice| drain(maliu::layout::reader(layout.clone()).expect("checked"), data, slice);
    assert_eq!(read(usize::MAX), read(7));
}

/// Takes `data` as a playlist of HLS, whole and in pieces; what was read is written, and read again.
pub fn playlist(data: &[u8]) {
    use maliu::hls::{Parser, Playlist};
    let parsed = |slice| {
        let mut parser = Parser::default();
        data.chunks(slice).try_for_each(|piece| parser.push(piece)).and_then(|()| parser.finish())
    };
    let whole = parsed(usize::MAX);
    assert_eq!(whole, parsed(7));
    let Ok(playlist) = whole else { return };
    let text = match &playlist {
        Playlist::Media(media) => media.to_string(),
        Playlist::Multivariant(all) => all.to_string(),
    };
    let mut parser = Parser::default();
    // Lines at their limit may be longer when they are written anew.
    drop(parser.push(text.as_bytes()).and_then(|()| parser.finish()));
}

/// Detects, demuxes and decodes `data`.
pub fn decode(data: &[u8]) {
    let (mut input, mut reader) = (Input::new(), PacketReader::detect(formats::ALL));
    let mut decoders: Vec<Option<Box<dyn maliu_decode::Decoder>>> = Vec::new();
    input.push(data);
    input.end();
    loop {
        match reader.poll(&mut input) {
            Ok(Poll::Ready(Event::Stream(index, info))) => {
                decoders.resize_with(decoders.len().max(index + 1), || None);
                decoders[index] = maliu_decode::decoder_for(&info).ok();
            }
            Ok(Poll::Ready(Event::Packet(packet))) => {
                if let Some(Some(decoder)) = decoders.get_mut(packet.stream) {
                    let _ = decoder.decode(&packet);
                }
            }
            Ok(Poll::Ready(Event::Metadata(_))) => {}
            Ok(Poll::Ready(Event::End) | Poll::Pending) | Err(_) => return,
        }
    }
}

/// An AAC decoder of a plausible configuration gets access units that are slices of `data`.
pub fn aac_unit(data: &[u8]) {
    let Some((config, units)) = data.split_at_checked(3) else { return };
    let Ok(config) = maliu_aac::Config::parse(config) else { return };
    let Ok(mut decoder) = maliu_aac::Decoder::new(config) else { return };
    for unit in units.chunks(160) {
        let _ = decoder.decode(unit);
    }
}

/// Decodes MPEG audio frames: the first byte chooses the header, so that most frames are of one kind, and the size. By
/// one decoder and by stages: both must say the same, and no frame may be louder than what is believed.
pub fn mpa_frame(data: &[u8]) {
    const HEADERS: [[u8; 4]; 8] = [
        [0xff, 0xfb, 0x90, 0x64],
        [0xff, 0xfb, 0x90, 0xc4],
        [0xff, 0xfa, 0x30, 0x54],
        [0xff, 0xf3, 0x48, 0x74],
        [0xff, 0xe3, 0x28, 0xc4],
        [0xff, 0xfd, 0xa0, 0x54],
        [0xff, 0xff, 0xc0, 0x54],
        [0xff, 0xfb, 0x00, 0x64],
    ];
    let Some((first, data)) = data.split_first() else { return };
    let header = HEADERS[usize::from(*first) % HEADERS.len()];
    let length = maliu_mpa::Header::parse(&header).and_then(|header| header.frame_length()).unwrap_or(500);
    let mut decoder = maliu_mpa::Decoder::new();
    let (mut parser, mut synthesis, mut unit) =
        (maliu_mpa::Parser::new(), maliu_mpa::Synthesis::new(), maliu_mpa::Parsed::new());
    for (n, body) in data.chunks(length - 4).enumerate() {
        // Some frames come without the header, as damaged ones do.
        let frame = if n % 7 == 6 { body.to_vec() } else { [&header[..], body].concat() };
        let error = decoder.decode(&frame).err();
        let whole = if error.is_some() { decoder.conceal() } else { decoder.frame() };
        let _ = parser.parse(&frame, &mut unit);
        maliu_mpa::Spectra.run(&mut unit);
        synthesis.run(&mut unit);
        let staged = unit.frame();
        assert_eq!((error, whole.channels(), whole.samples()), (unit.fault(), staged.channels(), staged.samples()));
        for channel in 0..whole.channels() {
            let (a, b) = (whole.channel(channel), staged.channel(channel));
            assert!(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() && a.is_finite()));
        }
    }
}

/// A source that reads short, fails, says “not yet”, as the first bytes of `data` choose: the packets stay the same.
pub fn io(data: &[u8]) {
    let Some((plan, data)) = data.split_at_checked(16) else { return };
    if plan.iter().all(|step| *step <= 40) {
        // A source that never gives a byte is given up after a bounded number of calls.
        return;
    }
    let smooth = events(None, data, usize::MAX);
    let (mut at, mut call) = (0, 0usize);
    let source = maliu::io::Callbacks::new(|buffer: &mut [u8]| {
        call += 1;
        let step = plan[call % plan.len()];
        match step {
            0..=20 => Err(std::io::ErrorKind::WouldBlock.into()),
            21..=40 => Err(std::io::ErrorKind::Interrupted.into()),
            _ => {
                let n = (usize::from(step) * 7).min(buffer.len()).min(data.len() - at);
                buffer[..n].copy_from_slice(&data[at..at + n]);
                at += n;
                Ok(n)
            }
        }
    });
    let mut reader = maliu::blocking::Reader::new(source);
    let mut packets = Vec::new();
    for _ in 0..data.len() * 64 + 100_000 {
        match reader.next_event() {
            Ok(Event::Packet(packet)) => packets.push(packet),
            Ok(Event::End) => {
                assert_eq!((packets, None), smooth);
                return;
            }
            Ok(_) => {}
            Err(error) if error.is_not_yet() => {}
            Err(_) => {
                assert_eq!(packets, smooth.0);
                assert!(smooth.1.is_some());
                return;
            }
        }
    }
}

/// Reads `data` as a recorded wire stream in two splits that must agree, and pushes it at both ends of a session.
pub fn wire(data: &[u8]) {
    use core::time::Duration;
    use maliu_core::wire::{
        content::{Content, FORMAT},
        message::Mode,
        session::{Received, Receiver, ReceiverOptions, Sender, SenderOptions},
    };
    let Some((first, data)) = data.split_first() else { return };
    let read = |slice| drain(PacketReader::with(&FORMAT, Box::new(Content::default())), data, slice);
    assert_eq!(read(usize::MAX), read(usize::from(*first) + 1));
    let mut receiver = Receiver::new(ReceiverOptions::default(), [0; 16], Duration::ZERO);
    let mode = if first % 2 == 0 { Mode::Live } else { Mode::Reliable };
    let mut sender = Sender::new(SenderOptions::new("", 0, mode));
    sender.connect(Duration::ZERO);
    for slice in data.chunks(usize::from(*first) + 1) {
        receiver.input().push(slice);
        while let Ok(Some(received)) = receiver.poll(Duration::ZERO) {
            if matches!(received, Received::Hello(_)) {
                receiver.welcome(0);
            }
        }
        if let Some(input) = sender.input() {
            input.push(slice);
        }
        let _ = sender.poll(Duration::ZERO);
        while sender.next(Duration::ZERO).is_some() {}
    }
}
