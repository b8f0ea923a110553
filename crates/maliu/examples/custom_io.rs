//! Reading and writing through closures: what `avio_alloc_context` with read_packet, write_packet and seek is for.
//!
//! Try it: `cargo run -p maliu --example custom_io samples/adts/stereo_44100.aac out.aac`

use std::{
    fs::File,
    io::{Read, Seek, Write},
};

use maliu::{
    blocking::{Reader, Writer},
    formats,
    io::{Callbacks, WriteCallbacks},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = std::env::args().skip(1);
    let input = paths.next().unwrap_or_else(|| "samples/adts/stereo_44100.aac".into());
    let output = paths.next().unwrap_or_else(|| "/dev/null".into());
    println!("{} packets", copy(&input, &output)?);
    Ok(())
}

/// Copies the packets of a file into an ADTS file; every byte goes through a closure.
pub(crate) fn copy(input: &str, output: &str) -> Result<u64, Box<dyn std::error::Error>> {
    // Two handles on one file share its position: one for each closure. Their captures are the `opaque` of FFmpeg.
    let mut file = File::open(input)?;
    let mut same = file.try_clone()?;
    let source = Callbacks::new(move |buf: &mut [u8]| file.read(buf))
        .with_seek(move |to| same.seek(to))
        .with_block_size(32 << 10);
    let mut reader = Reader::new(source);
    reader.start()?;

    let mut file = File::create(output)?;
    let sink = WriteCallbacks::new(move |bytes: &[u8], mark| {
        if let Some(mark) = mark {
            // A relay would keep headers, and begin a new viewer at a key.
            let _ = mark;
        }
        file.write(bytes)
    });
    let adts = formats::named("adts").ok_or("no such format")?;
    let mut writer = Writer::start(sink, adts, &[], reader.streams())?;
    let mut packets = 0;
    while let Some(packet) = reader.next_packet()? {
        writer.write(packet)?;
        packets += 1;
    }
    writer.finish()?;
    Ok(packets)
}
