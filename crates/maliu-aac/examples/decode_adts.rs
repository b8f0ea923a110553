//! ADTS file in, WAV file of 32-bit floats out: `decode_adts IN OUT`.

use maliu_aac::{Config, Decoder, Frame};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else { return Err("usage: decode_adts IN OUT".into()) };
    let data = fs::read(input)?;
    let mut decoder: Option<(Decoder, [u8; 3])> = None;
    let (mut samples, mut form) = (Vec::new(), (0, 0));
    let mut at = 0;
    while let Some(header) = data.get(at..at + 7) {
        let length = usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5] >> 5);
        let size = if header[1] & 1 == 1 { 7 } else { 9 };
        if header[0] != 0xff || header[1] & 0xf6 != 0xf0 || length < size || at + length > data.len() {
            at += 1;
            continue;
        }
        let key = [(header[2] >> 6) + 1, header[2] >> 2 & 15, (header[2] & 1) << 2 | header[3] >> 6];
        let (object_type, rate_index, channels) = (key[0], key[1], key[2]);
        if decoder.as_ref().is_none_or(|(_, known)| *known != key) {
            decoder = Some((Decoder::new(Config::from_adts(object_type, rate_index, channels)?)?, key));
        }
        let Some((decoder, _)) = &mut decoder else { break };
        let result = decoder.decode_blocks(&data[at + size..at + length], (header[6] & 3) + 1, |frame: Frame| {
            form = (frame.sample_rate, frame.channels());
            for i in 0..frame.samples() {
                samples.extend((0..frame.channels()).map(|c| frame.channel(c)[i]));
            }
        });
        if let Err(error) = result {
            eprintln!("{input}: at {at}: {error}");
        }
        at += length;
    }
    Ok(fs::write(output, wav(form.0, form.1 as u16, &samples))?)
}

fn wav(rate: u32, channels: u16, samples: &[f32]) -> Vec<u8> {
    let bytes = samples.len() as u32 * 4;
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + bytes).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x03\0");
    wav.extend_from_slice(&channels.to_le_bytes());
    wav.extend_from_slice(&rate.to_le_bytes());
    wav.extend_from_slice(&(rate * u32::from(channels) * 4).to_le_bytes());
    wav.extend_from_slice(&(channels * 4).to_le_bytes());
    wav.extend_from_slice(b"\x20\0data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    samples.iter().for_each(|sample| wav.extend_from_slice(&sample.to_le_bytes()));
    wav
}
