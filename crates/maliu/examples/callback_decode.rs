//! Decodes bytes that a callback gives. Try it: `cargo run -p maliu --example callback_decode < samples/mp3/vbr_info.mp3`

use std::io::{self, Read};

use maliu::{blocking::Reader, io::Callbacks};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let samples = decode(|buffer| io::stdin().read(buffer))?;
    println!("{samples} samples per channel");
    Ok(())
}

/// Decodes the first stream of what `read` gives; returns how many samples per channel it has.
pub(crate) fn decode(read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<usize, Box<dyn std::error::Error>> {
    let mut reader = Reader::new(Callbacks::new(read));
    reader.start()?;
    let mut decoder = maliu_decode::decoder_for(reader.streams().first().ok_or("no stream")?)?;
    let mut samples = 0;
    while let Some(packet) = reader.next_packet()? {
        samples += decoder.decode(&packet)?.map_or(0, |frame| frame.len());
    }
    Ok(samples)
}
