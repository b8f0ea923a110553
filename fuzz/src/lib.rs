//! What the fuzz targets share: read bytes through one format, in two splits that must agree.

use maliu_core::{
    format::{Event, Format},
    formats,
    input::Input,
    packet::Packet,
    reader::PacketReader,
};

/// Reads `data` as the format `name` (or detects it when `None`), whole and in slices: both must say the same.
/// The first byte of `data` sets the slices.
pub fn read(name: Option<&str>, data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let format = name.map(|name| formats::named(name).expect("the format is listed"));
    let whole = events(format, data, usize::MAX);
    let split = events(format, data, usize::from(*first).pow(2) / 16 + 1);
    assert_eq!(whole, split);
}

/// The packets that reading `data` gives, and the error that ended it.
pub fn events(format: Option<&'static Format>, data: &[u8], slice: usize) -> (Vec<Packet>, Option<String>) {
    let mut reader = match format {
        Some(format) => PacketReader::of(format, &[]).expect("the format is read"),
        None => PacketReader::detect(formats::ALL),
    };
    let (mut input, mut packets, mut slices) = (Input::new(), Vec::new(), data.chunks(slice.max(1)));
    for _ in 0..data.len() * 8 + 10_000 {
        match reader.poll(&mut input) {
            Ok(Event::NeedBytes) => match slices.next() {
                Some(slice) => input.push(slice),
                None => {
                    assert!(!input.ended(), "NeedBytes after the end");
                    input.end();
                }
            },
            Ok(Event::Packet(packet)) => packets.push(packet),
            Ok(Event::End) => return (packets, None),
            Ok(_) => {}
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
    panic!("no progress");
}
