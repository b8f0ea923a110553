//! Decodes real and made streams and compares them with the sketches of a reference decoder's sound.
//!
//! The streams are test data that is not part of the project: their folder is `MALIU_CORPUS`.

#[path = "corpus/adts.rs"]
mod adts;
#[path = "corpus/latm.rs"]
mod latm;
#[path = "corpus/mp4.rs"]
mod mp4;
#[path = "corpus/sketch.rs"]
mod sketch;

use maliu_aac::{Config, Decoder, Frame};
use std::path::{Path, PathBuf};

/// Access units that belong together, with the configuration they follow.
pub struct Run {
    /// How to make a decoder for the units; an error is what makes the run undecodable.
    pub config: Result<Config, maliu_aac::Error>,
    /// Units, each with how many raw data blocks it holds.
    pub units: Vec<(Vec<u8>, u8)>,
}

/// Agreement asked for, in decibels, where two independent decoders agree.
const MINIMUM: f64 = 55.0;

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn streams_sound_as_from_the_reference() {
    let corpus = PathBuf::from(std::env::var_os("MALIU_CORPUS").expect("MALIU_CORPUS names the folder of the corpus"));
    let (mut failures, mut values) = (Vec::new(), Vec::new());
    type Unpack = fn(&[u8]) -> Vec<Run>;
    let kinds: [(&str, &str, Unpack); 5] = [
        ("adts", "aac", adts::unpack),
        ("heaac", "aac", adts::unpack),
        ("heaac", "loas", latm::unpack),
        ("latm", "loas", latm::unpack),
        ("aac_mp4", "m4a", mp4::unpack),
    ];
    for (kind, extension, unpack) in kinds {
        for path in files(&corpus, kind, extension) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if std::env::var("MALIU_ONLY").is_ok_and(|only| !name.contains(&only)) || damaged(&name) {
                continue;
            }
            let Some(reference) = sketch::Reference::read(&corpus, &path) else { continue };
            let sound = decode(unpack(&std::fs::read(&path).expect("a readable file")));
            match reference.compare(&sound) {
                Ok(snr) if snr >= MINIMUM || reference.agreement < MINIMUM => values.push((snr, name)),
                Ok(snr) => failures.push(format!("{kind}/{name}: {snr:.1} dB")),
                Err(fault) => failures.push(format!("{kind}/{name}: {fault}")),
            }
        }
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (snr, name) in &values {
        println!("{snr:6.1} dB {name}");
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), failures.len() + values.len(), failures.join("\n"));
    assert!(!values.is_empty(), "nothing compared");
    let median = values.get(values.len() / 2).map_or(200.0, |v| v.0);
    assert!(median >= 70.0, "median {median:.1} dB");
}

/// Finished sound: planes of samples, all of the rate and channels of the first frame.
#[derive(Default)]
pub struct Sound {
    /// In Hz.
    pub rate: u32,
    /// Samples of each channel.
    pub channels: Vec<Vec<f32>>,
    /// Samples of a frame of low delay object types, 0 of others.
    pub low_delay: usize,
    /// The last fault of a unit.
    pub fault: Option<maliu_aac::Error>,
}

fn decode(runs: Vec<Run>) -> Sound {
    let mut sound = Sound::default();
    for run in runs {
        let mut decoder = match run.config.and_then(Decoder::new) {
            Ok(decoder) => decoder,
            Err(fault) => {
                sound.fault = Some(fault);
                continue;
            }
        };
        let low_delay = matches!(decoder.config().object_type, 23 | 39);
        for unit in run.units {
            if let Err(fault) = decoder.decode_blocks(&unit.0, unit.1, |frame| sound.add(frame)) {
                sound.fault = Some(fault);
            }
        }
        sound.low_delay = if low_delay { decoder.conceal().samples() } else { 0 };
    }
    sound
}

impl Sound {
    fn add(&mut self, frame: Frame) {
        if self.channels.is_empty() {
            self.rate = frame.sample_rate;
            self.channels = vec![Vec::new(); frame.channels()];
        }
        // Parametric stereo may begin in the middle of a stream that was mono.
        while self.channels.len() < frame.channels() {
            self.channels.push(self.channels[0].clone());
        }
        for (i, channel) in self.channels.iter_mut().enumerate() {
            channel.extend_from_slice(frame.channel(i.min(frame.channels() - 1)));
        }
    }
}

/// Streams whose damage is the reader's business: what the reference makes of it says nothing about decoding.
fn damaged(name: &str) -> bool {
    let marks = ["junk", "fake_sync", "id3v2_middle", "zero_length", "starts_", "truncated", "empty_", "config_change"];
    marks.iter().any(|mark| name.starts_with(mark))
}

fn files(corpus: &Path, kind: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for origin in ["real", "synth"] {
        let Ok(entries) = std::fs::read_dir(corpus.join(origin).join(kind)) else { continue };
        found.extend(entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == extension)));
    }
    found.sort();
    found
}
