//! The conformance vectors of MPEG audio against their PCM: full accuracy as ISO 11172-4 asks for it – RMS error below
//! 2^-15/√12 and no sample off by 2^-14 or more.
//!
//! The vectors are test data that is not part of the project: their folder is `MALIU_CORPUS`.

use std::{fs, path::PathBuf, task::Poll};

use maliu_core::{error::Error, format::Event, formats, input::Input, reader::PacketReader};
use maliu_decode::{Decoder, Options, SampleFormat, decoder_with};

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn vectors_are_decoded_with_full_accuracy() {
    let corpus = PathBuf::from(std::env::var_os("MALIU_CORPUS").expect("MALIU_CORPUS names the folder of the corpus"));
    let entries = fs::read_dir(corpus.join("real/mp3")).expect("the vectors of MPEG audio");
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcm"));
    // Not those that break the standard on purpose, nor one whose reference begins elsewhere.
    paths.retain(|path| {
        !["nonstandard", "sin1k0db", "overalloc2"].iter().any(|odd| path.to_string_lossy().contains(odd))
    });
    paths.sort();
    let mut wrong = Vec::new();
    for path in &paths {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let got = compare(path);
        let Difference { rms, max, damaged, clamped, why, .. } = &got;
        let why = why.as_deref().unwrap_or_default();
        println!("{name}: RMS {rms:.2e}, most {max:.2e}; {damaged} packets damaged {why}, {clamped} samples clamped");
        if !got.is_full_accuracy() {
            wrong.push(format!("{name}: {got:?}"));
        }
    }
    assert!(paths.len() >= 10, "the vectors are incomplete: {paths:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Difference of our PCM from the vector's, in units of full scale.
#[derive(Debug)]
struct Difference {
    rms: f64,
    max: f64,
    samples: usize,
    /// Samples of the reference beyond our last; some references have the tail of the filter bank behind the last frame.
    missing: i64,
    damaged: u64,
    why: Option<String>,
    clamped: u64,
}

impl Difference {
    fn is_full_accuracy(&self) -> bool {
        self.rms < 1.0 / (32768.0 * 12f64.sqrt())
            && self.max < 1.0 / 16384.0
            && self.missing <= 2304
            && self.samples > 0
    }
}

fn compare(pcm: &std::path::Path) -> Difference {
    let words =
        |bytes: &[u8]| -> Vec<i16> { bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect() };
    let reference = words(&fs::read(pcm).unwrap());
    let (bytes, report) = decode(fs::read(pcm.with_extension("mp3")).unwrap()).unwrap_or_default();
    let ours = words(&bytes);
    let differences = ours.iter().zip(&reference).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs() / 32768.0);
    let samples = ours.len().min(reference.len());
    // Some references are filled up with zeros.
    let loud = &reference[..reference.iter().rposition(|sample| *sample != 0).map_or(0, |last| last + 1)];
    Difference {
        rms: (differences.clone().map(|d| d * d).sum::<f64>() / samples.max(1) as f64).sqrt(),
        max: differences.fold(0.0, f64::max),
        samples,
        missing: loud.len() as i64 - ours.len() as i64,
        damaged: report.damaged,
        why: report.first_damage,
        clamped: report.clamped,
    }
}

fn decode(file: Vec<u8>) -> Result<(Vec<u8>, maliu_decode::Report), Error> {
    let mut options = Options::default();
    options.gapless = false;
    let mut input = Input::new();
    input.push_bytes(file.into());
    input.end();
    let mut reader = PacketReader::detect(formats::ALL);
    let mut decoder: Option<Box<dyn Decoder>> = None;
    let mut out = Vec::new();
    loop {
        match reader.poll(&mut input)? {
            Poll::Ready(Event::Packet(packet)) => {
                let info = &reader.streams()[packet.stream];
                let decoder = match &mut decoder {
                    Some(decoder) => decoder,
                    None => decoder.insert(decoder_with(info, options)?),
                };
                if let Some(frame) = decoder.decode(&packet)? {
                    SampleFormat::S16Le.write(&frame, &mut out);
                }
            }
            Poll::Ready(Event::End) => return Ok((out, decoder.map(|decoder| decoder.report()).unwrap_or_default())),
            _ => {}
        }
    }
}
