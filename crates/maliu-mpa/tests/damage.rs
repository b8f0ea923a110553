//! Damaged, spliced and made-up frames: no panic, no loud noise, the stages agree, and nothing is allocated on the way.

use std::path::Path;

use maliu_mpa::{Decoder, Error, Header, LOUDEST, Parsed, Parser, Spectra, Synthesis};

/// A generator of small numbers (xorshift).
struct Chance(u32);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % limit.max(1)
    }
}

/// The frames of a file of the samples.
fn frames(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/mp3").join(name);
    let data = std::fs::read(path).expect("a sample");
    let (mut at, mut found) = (0, Vec::new());
    while at < data.len() {
        match Header::parse(&data[at..]).and_then(|header| header.frame_length()) {
            Some(length) if at + length <= data.len() => {
                found.push(data[at..at + length].to_vec());
                at += length;
            }
            _ => at += 1,
        }
    }
    found
}

/// The first channel of each frame, concealed where there is an error.
fn play(decoder: &mut Decoder, frames: &[Vec<u8>]) -> Vec<(Option<Error>, Vec<f32>)> {
    let one = |frame: &Vec<u8>| {
        let error = decoder.decode(frame).err();
        let sound = if error.is_some() { decoder.conceal() } else { decoder.frame() };
        (error, sound.channel(0).to_vec())
    };
    frames.iter().map(one).collect()
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

const LAYER_3: &str = "cbr_64k_tags.mp3";

#[test]
fn made_up_frames_do_no_harm() {
    let mut chance = Chance(0x1234_5678);
    for byte in [0xfau8, 0xfb, 0xf2, 0xf3, 0xe2, 0xe3, 0xfc, 0xfd, 0xfe, 0xff, 0xf4, 0xf5] {
        let mut decoder = Decoder::new();
        for _ in 0..300 {
            let mut frame: Vec<u8> = (0..chance.below(1500)).map(|_| chance.below(256) as u8).collect();
            if let [a, b, ..] = &mut frame[..] {
                (*a, *b) = (0xff, byte);
            }
            let error = decoder.decode(&frame).err();
            let sound = if error.is_some() { decoder.conceal() } else { decoder.frame() };
            (0..sound.channels()).for_each(|channel| assert!(sound.channel(channel).iter().all(|x| x.is_finite())));
        }
    }
}

#[test]
fn damage_is_never_louder_than_what_is_believed() {
    let whole = frames(LAYER_3);
    let mut chance = Chance(0x2545_f491);
    let mut concealed = 0;
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..8 {
            let n = chance.below(damaged.len());
            let at = 4 + chance.below(damaged[n].len() - 4);
            damaged[n][at] ^= 1 << chance.below(8);
        }
        for (error, samples) in play(&mut Decoder::new(), &damaged) {
            concealed += usize::from(error.is_some());
            assert!(peak(&samples) <= LOUDEST, "{}", peak(&samples));
        }
    }
    assert!(concealed > 100, "{concealed}");
}

#[test]
fn frames_whose_data_is_missing_are_silence() {
    let whole = frames(LAYER_3);
    let expected = play(&mut Decoder::new(), &whole);
    let late = play(&mut Decoder::new(), &whole[5..]);
    let first = late.iter().position(|(error, _)| error.is_none()).expect("a good frame");
    assert!(late[..first].iter().all(|(error, samples)| {
        matches!(error, Some(Error::MissingData { .. } | Error::NoHeader)) && peak(samples) == 0.0
    }));
    // One frame later overlap and filter bank are those of the whole stream.
    assert!(late[first + 2..].iter().zip(&expected[5 + first + 2..]).all(|(a, b)| a == b));
}

#[test]
fn a_splice_makes_silence_instead_of_noise() {
    let whole = frames(LAYER_3);
    let loudest = play(&mut Decoder::new(), &whole).iter().map(|(_, samples)| peak(samples)).fold(0.0, f32::max);
    for (to, from) in [(9, 20), (15, 3), (12, 14), (20, 20), (7, 30)] {
        let spliced = [&whole[..to], &whole[from..]].concat();
        let sound = play(&mut Decoder::new(), &spliced);
        let most = sound.iter().map(|(_, samples)| peak(samples)).fold(0.0, f32::max);
        assert!(most <= 1.4 * loudest, "{to} {from}: {most}, {loudest}");
    }
}

#[test]
fn a_wrong_checksum_conceals_the_frame() {
    let mut frame = vec![0xff, 0xfa, 0x90, 0xc4, 0, 0];
    frame.resize(417, 0);
    assert_eq!(Decoder::new().decode(&frame).err(), Some(Error::Checksum));
    // Computed bit by bit over the header's last bytes and 17 zeros.
    let covered = [&frame[2..4], &[0; 17]].concat();
    let bits = covered.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let crc = bits.fold(0xffffu16, |crc, bit| {
        let high = (crc >> 15) as u8 ^ bit;
        crc << 1 ^ if high == 1 { 0x8005 } else { 0 }
    });
    frame[4..6].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(Decoder::new().decode(&frame).err(), None);
}

#[test]
fn a_gap_that_shows_in_its_first_frame_conceals_all_that_begins_before_it() {
    let whole = frames(LAYER_3);
    let loudest = play(&mut Decoder::new(), &whole).iter().map(|(_, sound)| peak(sound)).fold(0.0, f32::max);
    let (mut gaps, mut torn, mut others, mut loud) = (0, 0, 0, 0);
    for (at, missing) in (4..whole.len() - 8).flat_map(|at| (1..4).map(move |missing| (at, missing))) {
        let mut decoder = Decoder::new();
        play(&mut decoder, &whole[..at]);
        decoder.doubt();
        let behind = play(&mut decoder, &whole[at + missing..]);
        let is_missing = |(error, _): &&(Option<Error>, Vec<f32>)| matches!(error, Some(Error::MissingData { .. }));
        gaps += 1;
        if behind[0].0.is_some() {
            torn += 1;
            others += behind[1..].iter().take_while(is_missing).count();
        }
        loud += usize::from(behind.iter().any(|(_, sound)| peak(sound) > 1.41 * loudest));
    }
    println!("{torn} of {gaps} gaps showed; {others} more frames began before them; {loud} were loud");
    assert!(torn > 0 && others > 0, "{torn} {others}");
    // By chance the codes of a wrong place can end where they are declared to end.
    assert!(100 * loud <= gaps, "{loud} of {gaps}");
}

#[test]
fn stages_apart_give_the_same() {
    let mut damaged = frames(LAYER_3);
    let mut chance = Chance(0x0bad_cafe);
    for frame in damaged.iter_mut().step_by(5) {
        let at = chance.below(frame.len());
        frame[at] ^= 0xff;
    }
    let expected = play(&mut Decoder::new(), &damaged);
    let (mut parser, mut synthesis) = (Parser::new(), Synthesis::new());
    let mut units: Vec<_> = damaged.iter().map(|_| Parsed::new()).collect();
    units.iter_mut().zip(&damaged).for_each(|(unit, frame)| {
        let _ = parser.parse(frame, unit);
    });
    units.iter_mut().rev().step_by(2).for_each(|unit| Spectra.run(unit));
    let rest = units.len() % 2;
    units.iter_mut().skip(rest).step_by(2).for_each(|unit| Spectra.run(unit));
    units.iter_mut().for_each(|unit| synthesis.run(unit));
    let sound: Vec<_> = units.iter().map(|unit| (unit.fault(), unit.frame().channel(0).to_vec())).collect();
    assert!(sound == expected);
}

#[test]
fn decoding_allocates_only_in_the_first_frames() {
    let frames = frames(LAYER_3);
    let mut decoder = Decoder::new();
    // The main data of a frame grows with what earlier ones have left.
    frames.iter().for_each(|frame| {
        let _ = decoder.decode(frame);
    });
    let counted = allocation_counter::measure(|| {
        for frame in &frames {
            let _ = decoder.decode(frame);
        }
        let _ = decoder.conceal();
    });
    assert_eq!(counted.count_total, 0);
}
