//! One second from 30 s on, exact to the sample: `cargo run -p maliu --example seek_exactly -- FILE`
use std::{error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    second(&path, Duration::from_secs(30)).map(|samples| println!("{samples:?}"))
}

/// The samples of the second from `at` on.
pub fn second(path: &str, at: Duration) -> Result<Vec<i16>, Box<dyn Error>> {
    let mut reader = maliu::blocking::Reader::open(path)?;
    reader.seek_accurate(at)?;
    let mut decoder = maliu_decode::decoder_for(&reader.streams()[0])?;
    decoder.keep(at..at + Duration::from_secs(1));
    let mut samples = Vec::new();
    while let (false, Some(packet)) = (decoder.is_past(), reader.next_packet()?) {
        samples.extend(decoder.decode(&packet)?.map_or(vec![], |frame| frame.to_i16()));
    }
    Ok(samples)
}
