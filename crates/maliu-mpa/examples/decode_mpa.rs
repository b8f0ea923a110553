//! MPEG audio file in, raw 32-bit floats out, channels interleaved: `decode_mpa IN OUT`.

use std::{env, fs};

use maliu_mpa::{Decoder, Header};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else { return Err("usage: decode_mpa IN OUT".into()) };
    let data = fs::read(input)?;
    let mut decoder = Decoder::new();
    let mut samples: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let length = match Header::parse(&data[at..]).and_then(|header| header.frame_length()) {
            Some(length) if at + length <= data.len() => length,
            _ => {
                at += 1;
                continue;
            }
        };
        let error = decoder.decode(&data[at..at + length]).err();
        if let Some(error) = error {
            eprintln!("{input}: at {at}: {error}");
        }
        let frame = if error.is_some() { decoder.conceal() } else { decoder.frame() };
        for i in 0..frame.samples() {
            (0..frame.channels()).for_each(|c| samples.extend(frame.channel(c)[i].to_le_bytes()));
        }
        at += length;
    }
    Ok(fs::write(output, samples)?)
}
