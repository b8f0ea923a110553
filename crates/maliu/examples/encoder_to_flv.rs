//! Writes what an encoder gives into an FLV file. Try it: `cargo run -p maliu --example encoder_to_flv -- tone.flv`

use maliu::{Codec, Packet, StreamInfo, Ticks, TimeBase, blocking::Writer, formats::flv, io::AtomicFile};

/// Samples per second, which the encoder's times are counted in.
const RATE: u32 = 44_100;

fn main() -> maliu::Result<()> {
    write(&std::env::args().nth(1).unwrap_or("tone.flv".into()), 10)
}

/// Writes a tone of `seconds` seconds.
pub(crate) fn write(path: &str, seconds: u32) -> maliu::Result<()> {
    let streams = [StreamInfo::audio(Codec::PcmS16Le, RATE, 1)];
    let mut writer = Writer::start(AtomicFile::create(path)?, &flv::FORMAT, &[], &streams)?;
    let mut encoder = Encoder { sample: 0 };
    while encoder.sample < i64::from(RATE * seconds) {
        let (time, data) = encoder.encode();
        // FLV counts in milliseconds; the writer converts.
        writer.write(Packet::new(0, Ticks(time), TimeBase::hz(RATE), data))?;
    }
    writer.finish()?;
    Ok(())
}

/// Stands for a real encoder: 441 Hz, ten milliseconds a call.
struct Encoder {
    sample: i64,
}

impl Encoder {
    fn encode(&mut self) -> (i64, Vec<u8>) {
        let (time, samples) = (self.sample, i64::from(RATE) / 100);
        self.sample += samples;
        let wave = |at: i64| ((at as f32 * std::f32::consts::TAU / 100.0).sin() * 8000.0) as i16;
        (time, (time..self.sample).flat_map(|at| wave(at).to_le_bytes()).collect())
    }
}
