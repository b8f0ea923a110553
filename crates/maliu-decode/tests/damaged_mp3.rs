//! Damaged MPEG audio is no louder than whole one, all the way from a file's bytes. `MALIU_DAMAGED` sets how many files.

use std::{env, fs, path::Path, task::Poll};

use maliu_core::{format::Event, formats, input::Input, reader::PacketReader};
use maliu_decode::{Decoder, Samples, decoder_for};

/// Damaged files, unless set otherwise.
const FILES: usize = 60;

/// 12 dB above full scale: no frame of damaged data is believed to be louder.
const LOUDEST: f32 = 4.0;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }
}

/// Levels of the samples of a file, before anything is clamped.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    energy: f64,
    samples: usize,
    peak: f32,
    /// Frames that were concealed.
    damaged: u64,
}

impl Heard {
    fn mean(&self) -> f64 {
        self.energy / self.samples.max(1) as f64
    }
}

fn decode(file: &[u8]) -> Heard {
    let (mut input, mut reader) = (Input::new(), PacketReader::of(formats::named("mp3").unwrap(), &[]).unwrap());
    input.push(file);
    input.end();
    let (mut decoder, mut heard) = (None::<Box<dyn Decoder>>, Heard::default());
    loop {
        match reader.poll(&mut input) {
            Ok(Poll::Ready(Event::Stream(_, info))) if decoder.is_none() => decoder = decoder_for(&info).ok(),
            Ok(Poll::Ready(Event::Packet(packet))) => {
                let frame = decoder.as_mut().and_then(|decoder| decoder.decode(&packet).ok().flatten());
                let Some(Samples::F32(samples)) = frame.map(|frame| frame.samples) else { continue };
                heard.samples += samples.len();
                heard.energy += samples.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum::<f64>();
                heard.peak = samples.iter().fold(heard.peak, |peak, sample| peak.max(sample.abs()));
            }
            Ok(Poll::Ready(Event::End) | Poll::Pending) | Err(_) => break,
            Ok(_) => {}
        }
    }
    heard.damaged = decoder.map_or(0, |decoder| decoder.report().damaged);
    heard
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/mp3").join(name)).expect("a sample")
}

/// One of the ways in which files break, one to four times over.
fn damage(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(file.len());
        let end = (at + random.below(2000)).min(file.len());
        match random.below(7) {
            0 => (0..=random.below(50)).for_each(|_| {
                let at = random.below(file.len());
                file[at] ^= 1 << random.below(8);
            }),
            1 => file[at..end].fill(0),
            2 => drop(file.drain(at..end)),
            3 => drop(file.splice(at..at, random.bytes(1000))),
            4 => file[at..end].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
            5 => drop(file.splice(at..at, other[random.below(other.len())..].iter().copied().take(3000))),
            _ => {
                let again = file[at..end].to_vec();
                file.splice(at..at, again);
            }
        }
        if file.is_empty() {
            break;
        }
    }
    file
}

#[test]
fn damaged_files_are_no_louder_than_whole_ones() {
    let set = |name: &str| env::var(name).ok().map(|text| text.parse::<usize>().expect("a number"));
    let count = set("MALIU_DAMAGED").unwrap_or(FILES);
    let mut random = Random(set("MALIU_SEED").unwrap_or(17) as u64);
    let files = ["cbr_64k_tags.mp3", "vbr_info.mp3", "mpeg2_mono.mp3", "layer2.mp2"].map(sample);
    let whole = files.each_ref().map(|file| decode(file));
    let (mut before, mut after, mut loudest, mut concealed) = (0.0, 0.0, 0.0f32, 0);
    for n in 0..count {
        let kind = n % files.len();
        let heard = decode(&damage(&files[kind], &files[random.below(files.len())], &mut random));
        before += whole[kind].mean();
        after += heard.mean();
        loudest = loudest.max(heard.peak);
        concealed += heard.damaged;
        assert!(heard.peak <= LOUDEST, "file {n}: {heard:?}");
    }
    let louder = 10.0 * f64::log10(after / before);
    println!("{count} files: {louder:.2} dB against whole ones, peak {loudest:.2}, {concealed} frames concealed");
    assert!(louder <= 1.0, "{louder} dB");
    assert!(concealed as usize > count / 2, "{concealed}");
}

#[test]
fn junk_full_of_false_headers_makes_no_noise() {
    let file = sample("cbr_64k_tags.mp3");
    let whole = decode(&file);
    let frames: Vec<usize> = (0..file.len() - 4).filter(|at| file[*at..*at + 2] == [0xff, 0xfb]).collect();
    let (head, length) = (&file[frames[9]..frames[9] + 4], frames[10] - frames[9]);
    let (mut random, mut tries, mut loud, mut energy) = (Random(3), 0, [0; 4], 0.0);
    for place in (10..frames.len() - 10).step_by(3) {
        for (kind, count) in [1, 2, 5, 40].into_iter().enumerate() {
            // Headers of the stream itself at the right distance, with noise for their frames.
            let mut junk = random.bytes(900);
            for _ in 0..count {
                junk.extend_from_slice(head);
                junk.extend((4..length).map(|_| random.below(256) as u8));
            }
            let middle = frames[place] + random.below(length);
            let heard = decode(&[&file[..middle], &junk, &file[middle..]].concat());
            (tries, energy) = (tries + 1, energy + heard.mean());
            loud[kind] += usize::from(heard.peak > whole.peak * 1.41);
        }
    }
    let louder = 10.0 * f64::log10(energy / f64::from(tries) / whole.mean());
    println!("{louder:.2} dB against the whole file; more than 3 dB above its peak: {loud:?} of {} each", tries / 4);
    assert!(louder <= 1.0, "{louder} dB");
    // By chance the codes of noise can end where they are declared to end: the more frames of it, the likelier.
    assert!(tries > 50 && loud.iter().sum::<usize>() * 6 <= tries as usize, "{loud:?} of {tries}");
}
