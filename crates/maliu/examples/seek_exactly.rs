//! One second from 30 s on, exact to the sample: `cargo run -p maliu --example seek_exactly -- FILE`
use std::{error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    second(&path, Duration::from_secs(30)).map(|samples| println!("{samples:?}"))
}

pub(crate) fn second(path: &str, at: Duration) -> Result<Vec<i16>, Box<dyn Error>> {
    let (mut reader, mut samples) = (maliu::blocking::Reader::open(path)?, Vec::new());
    reader.seek_accurate(at)?;
    let mut decoder = maliu_decode::decoder_for(&reader.streams()[0])?;
    decoder.keep(at..at + Duration::from_secs(1));
    while let (false, Some(packet)) = (decoder.is_past(), reader.next_packet()?) {
        if let Some(frame) = decoder.decode(&packet)? {
            samples.extend(frame.to_i16());
        }
    }
    Ok(samples)
}
