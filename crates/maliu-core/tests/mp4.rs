//! MP4 files that are built here: media to the end of the file.

use std::task::Poll;

use maliu_core::{
    format::Event,
    formats,
    input::Input,
    output::{Edit, Output},
    packet::Packet,
    reader::PacketReader,
    stream::Metadata,
    syntax::isobmff::write::Writer,
    writer::Plan,
};

fn packets(file: &[u8]) -> Vec<Packet> {
    let mut input = Input::seekable(Some(file.len() as u64));
    let (mut reader, mut found) = (PacketReader::detect(formats::ALL), Vec::new());
    loop {
        match reader.poll(&mut input).expect("a good file") {
            Poll::Pending => {
                let at = usize::try_from(input.next_read()).expect("offsets of the file").min(file.len());
                if at == file.len() { input.end() } else { input.push(&file[at..]) }
            }
            Poll::Ready(Event::Packet(packet)) => found.push(packet),
            Poll::Ready(Event::End) => return found,
            Poll::Ready(_) => {}
        }
    }
}

fn numbers(w: &mut Writer, kind: &[u8; 4], numbers: &[u32]) {
    w.full(kind, 0, 0, |w| numbers.iter().for_each(|number| w.u32(*number)));
}

/// A file of one µ-law track of 4 frames, whose media box states no size.
fn open_ended() -> Vec<u8> {
    let mut w = Writer::new();
    w.boxed(b"moov", |w| {
        numbers(w, b"mvhd", &[0, 0, 8000, 4]);
        w.boxed(b"trak", |w| {
            numbers(w, b"tkhd", &[0, 0, 1]);
            w.boxed(b"mdia", |w| {
                numbers(w, b"mdhd", &[0, 0, 8000, 4, 0x55c4_0000]);
                numbers(w, b"hdlr", &[0, u32::from_be_bytes(*b"soun")]);
                w.boxed(b"minf", |w| {
                    w.boxed(b"stbl", |w| {
                        w.full(b"stsd", 0, 0, |w| {
                            w.u32(1);
                            w.boxed(b"ulaw", |w| {
                                w.zeros(7);
                                w.u8(1);
                                w.zeros(8);
                                w.bytes(&[0, 1, 0, 16, 0, 0, 0, 0, 0x1f, 0x40, 0, 0]);
                            });
                        });
                        numbers(w, b"stts", &[1, 4, 1]);
                        numbers(w, b"stsc", &[1, 1, 4, 1]);
                        numbers(w, b"stsz", &[1, 4]);
                        numbers(w, b"stco", &[1, 0]);
                    });
                });
            });
        });
    });
    let mut file = w.finish();
    let at = file.len() as u32 + 8;
    let place = file.len() - 4;
    file[place..].copy_from_slice(&at.to_be_bytes());
    file.extend_from_slice(b"\0\0\0\0mdatabcd");
    file
}

#[test]
fn media_to_the_end_of_the_file_is_the_last_box() {
    let found = packets(&open_ended());
    assert_eq!(found.iter().map(|packet| &packet.data[..]).collect::<Vec<_>>(), [b"abcd"]);
}

#[test]
fn fragments_whose_audio_begins_first_wait_for_the_video_that_describes_itself() {
    let webm = include_bytes!("../../../samples/matroska/vp9_opus.webm");
    let (mut input, mut reader, mut streams) = (Input::new(), PacketReader::detect(formats::ALL), Vec::new());
    input.push(webm);
    input.end();
    let mut found = Vec::new();
    while let Ok(Poll::Ready(event)) = reader.poll(&mut input) {
        match event {
            Event::Stream(_, info) => streams.push(*info),
            Event::Packet(packet) => found.push(packet),
            Event::End => break,
            Event::Metadata(_) => {}
        }
    }
    assert!(streams.len() == 2 && streams[0].config.is_empty() && found[0].stream == 1, "audio comes first");
    let tags = Metadata::default();
    for fragment in ["key", "frame", "1s"] {
        let mut out = Output::default();
        let settings = [("fragment", fragment)];
        let plan = Plan::new(&formats::mp4::FMP4, &settings, &tags);
        let mut writer = plan.start(&streams, &mut out).unwrap();
        for packet in &found {
            writer.write_interleaved(packet.clone(), &mut out).unwrap();
        }
        writer.finish(&mut out).unwrap();
        let mut file = Vec::new();
        while let Some(Edit::Append(piece)) = out.next_edit() {
            piece.parts.iter().for_each(|part| file.extend_from_slice(part));
        }
        assert_eq!(packets(&file).len(), found.len(), "{fragment}");
    }
}
