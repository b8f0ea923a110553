//! Damaged and made-up units: no panic, no sound that is not a number, nothing left of it two units later.

#[path = "corpus/adts.rs"]
mod adts;
#[path = "corpus/latm.rs"]
mod latm;
#[path = "corpus/mp4.rs"]
mod mp4;

use maliu_aac::{
    Config, Core, Decoder, Error, Frame, HighBand, Options, Output, ParametricStereo, Parsed, Parser, Transform,
};
use std::path::{Path, PathBuf};

/// Access units that belong together, with the configuration they follow.
pub struct Run {
    /// How to make a decoder for the units.
    pub config: Result<Config, Error>,
    /// Units, each with how many raw data blocks it holds.
    pub units: Vec<(Vec<u8>, u8)>,
}

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

/// Configurations of every object type, frame length and way of signalling.
const CONFIGS: [&[u8]; 17] = [
    &[0x12, 0x10],                                           // LC stereo
    &[0x0a, 0x10],                                           // Main stereo
    &[0x22, 0x10],                                           // LTP stereo
    &[0x12, 0x14],                                           // LC, 960 lines
    &[0x12, 0x08],                                           // LC mono
    &[0x13, 0x30],                                           // LC 24 kHz 5.1
    &[0x2b, 0x11, 0x88, 0x00],                               // HE-AAC
    &[0xeb, 0x09, 0x88, 0x00],                               // HE-AAC v2
    &[0x8a, 0x10, 0x00],                                     // ER LC
    &[0x9a, 0x10, 0x00],                                     // ER LTP
    &[0xba, 0x10, 0x00],                                     // LD
    &[0xba, 0x14, 0x00],                                     // LD, 480 lines
    &[0x8a, 0x11, 0xe0],                                     // ER LC with all tools
    &[0xba, 0x11, 0xe0],                                     // LD with all tools
    &[0xf8, 0xe8, 0x4e, 0x00],                               // ELD with all tools
    &[0xf8, 0xe6, 0x40, 0x00],                               // ELD
    &[0xf8, 0xec, 0x21, 0xae, 0x04, 0x00, 0x00, 0x00, 0x00], // ELD with SBR
];

fn check(frame: Frame) {
    for channel in 0..frame.channels() {
        let samples = frame.channel(channel);
        assert_eq!(samples.len(), frame.samples());
        assert!(samples.iter().all(|sample| sample.is_finite()), "a sample is not a number");
    }
}

#[test]
fn made_up_units_do_no_harm() {
    let mut chance = Chance(0x1234_5678);
    for asc in CONFIGS {
        let config = Config::parse(asc).unwrap_or_else(|fault| panic!("{asc:02x?}: {fault}"));
        let mut options = Options::default();
        options.drc = true;
        let mut decoder = Decoder::with_options(config, options).expect("a decoder");
        for round in 0..400 {
            let mut unit: Vec<u8> = (0..chance.below(700)).map(|_| chance.below(256) as u8).collect();
            if let (Some(first), true) = (unit.first_mut(), round % 2 == 0) {
                *first = [0x00, 0x20, 0x01, 0x21][round / 2 % 4]; // a single channel or a pair
            }
            match decoder.decode(&unit) {
                Ok(frame) => check(frame),
                Err(_) => check(decoder.conceal()),
            }
        }
        decoder.reset();
        check(decoder.conceal());
    }
}

#[test]
fn made_up_configurations_are_accepted_or_refused() {
    let mut chance = Chance(0x8765_4321);
    for _ in 0..20_000 {
        let mut asc: Vec<u8> = (0..chance.below(24)).map(|_| chance.below(256) as u8).collect();
        if let Some(first) = asc.first_mut() {
            *first = *first & 7 | [2, 5, 29, 31, 17, 23][chance.below(6)] << 3;
        }
        if let Ok(config) = Config::parse(&asc) {
            assert!(usize::from(config.channels) <= maliu_aac::MAX_CHANNELS && config.sample_rate <= 96_000);
            assert!(config.output_rate() >= config.sample_rate && !config.profile_name().is_empty());
            Decoder::new(config).expect("what can be parsed can be set up").conceal();
        }
    }
}

#[test]
fn flipped_bits_cost_their_unit_only() {
    samples().into_iter().for_each(flip_bits);
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn flipped_bits_cost_their_unit_only_in_the_corpus() {
    corpus().into_iter().for_each(flip_bits);
}

fn flip_bits((name, run): (String, Run)) {
    let mut chance = Chance(0x0bad_5eed);
    let Ok(config) = run.config else { return };
    let mut decoder = Decoder::new(config.clone()).expect("a decoder");
    for (i, (unit, blocks)) in run.units.iter().take(60).enumerate() {
        let mut unit = unit.clone();
        // The first unit may be the only one that says what the channels are: it stays whole.
        for _ in 0..if i == 0 { 0 } else { chance.below(6) } {
            let at = chance.below(unit.len());
            if let Some(byte) = unit.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        unit.truncate(if i > 0 && chance.below(8) == 0 { chance.below(unit.len()) } else { unit.len() });
        if decoder.decode_blocks(&unit, *blocks, check).is_err() {
            check(decoder.conceal());
        }
    }
    // Good units again: the core is as if nothing had been, once what overlaps and predicts has passed.
    let plain = config.object_type == 2 && decoder.config().output_rate() == config.sample_rate;
    let noisy = name.contains("pns") || !name.starts_with("lc_") && !name.starts_with("tool_");
    let mut fresh = Decoder::new(config).expect("a decoder");
    let mut same = true;
    let _ = run.units.first().map(|(unit, blocks)| fresh.decode_blocks(unit, *blocks, |_| ()));
    for (unit, blocks) in run.units.iter().skip(4).take(6) {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let _ = decoder.decode_blocks(unit, *blocks, |frame| a = frame.channel(0).to_vec());
        let _ = fresh.decode_blocks(unit, *blocks, |frame| b = frame.channel(0).to_vec());
        same = a == b;
    }
    assert!(same || noisy || !plain, "{name}: damage lasts");
}

/// The channels of a frame.
fn planes(frame: Frame) -> Vec<Vec<f32>> {
    (0..frame.channels()).map(|channel| frame.channel(channel).to_vec()).collect()
}

#[test]
fn stages_far_apart_make_the_same_sound() {
    samples().into_iter().for_each(run_stages_apart);
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn stages_far_apart_make_the_same_sound_in_the_corpus() {
    corpus().into_iter().for_each(run_stages_apart);
}

fn run_stages_apart((name, run): (String, Run)) {
    let Ok(config) = run.config else { return };
    let mut decoder = Decoder::new(config.clone()).expect("a decoder");
    let mut parser = Parser::new(config.clone(), Options::default());
    let (mut core, mut high_band) = (Core::new(&config), HighBand::default());
    let (mut stereo, mut output) = (ParametricStereo::default(), Output::default());
    let (mut units, mut expected) = (Vec::new(), Vec::new());
    for (i, (data, _)) in run.units.iter().take(24).enumerate() {
        let mut unit = Parsed::new();
        let mut data = data.clone();
        if i % 9 == 8 {
            data.truncate(data.len() / 2);
        }
        match decoder.decode(&data) {
            Ok(frame) => expected.push(planes(frame)),
            Err(_) => expected.push(planes(decoder.conceal())),
        }
        if parser.parse(&data, &mut unit).is_err() {
            parser.conceal(&mut unit);
        }
        units.push(unit);
    }
    // Work that one stage does by itself may also be done before it, in any order.
    let mut transform = Transform::new(&config);
    units.iter_mut().rev().step_by(2).for_each(|unit| transform.run(unit));
    units.iter_mut().step_by(3).for_each(|unit| transform.run(unit));
    units.iter_mut().for_each(|unit| core.run(unit));
    units.iter_mut().for_each(|unit| high_band.run(unit));
    units.iter_mut().for_each(|unit| stereo.run(unit));
    units.iter_mut().for_each(|unit| output.run(unit));
    let sound: Vec<_> = units.iter().map(|unit| planes(unit.frame())).collect();
    assert!(sound == expected, "{name}");
}

#[test]
fn what_is_carried_is_as_long_as_said() {
    carry_what_is_said(samples());
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn what_is_carried_is_as_long_as_said_in_the_corpus() {
    carry_what_is_said(corpus());
}

fn carry_what_is_said(streams: Vec<(String, Run)>) {
    let mut held = 0;
    for (name, run) in streams {
        let Some(config) = run.config.ok().filter(|config| config.channel_config > 0) else { continue };
        let mut serial = Decoder::new(config).expect("a decoder");
        let mut sound = Vec::new();
        for (unit, blocks) in run.units.iter().take(20) {
            let mut plane = Vec::new();
            let _ = serial.decode_blocks(unit, *blocks, |frame| plane.extend_from_slice(frame.channel(0)));
            sound.push(plane);
        }
        let carry = serial.carry();
        assert_eq!(carry.exact, !(carry.prediction || carry.noise || carry.sbr || carry.ps), "{name}");
        assert!(carry.units >= carry.overlap, "{name}");
        if !carry.exact || sound.iter().any(Vec::is_empty) {
            continue;
        }
        let mut late = Decoder::new(serial.config().clone()).expect("a decoder");
        for (i, (unit, blocks)) in run.units.iter().enumerate().take(20).skip(7) {
            let mut plane = Vec::new();
            let _ = late.decode_blocks(unit, *blocks, |frame| plane.extend_from_slice(frame.channel(0)));
            assert!(i < 7 + carry.units || plane == sound[i], "{name}: unit {i}");
        }
        held += 1;
    }
    assert!(held > 0, "no stream is exact");
}

#[test]
fn decoding_allocates_only_in_the_first_unit() {
    // A tool that appears on the way is set up where it appears.
    let from_the_start = samples().into_iter().filter(|(name, _)| name != "he_v2_late.aac");
    from_the_start.for_each(count_allocations);
}

#[test]
#[ignore = "needs MALIU_CORPUS"]
fn decoding_allocates_only_in_the_first_unit_in_the_corpus() {
    corpus().into_iter().for_each(count_allocations);
}

fn count_allocations((name, run): (String, Run)) {
    let Some(mut decoder) = run.config.ok().and_then(|config| Decoder::new(config).ok()) else { return };
    let mut units = run.units.iter();
    let _ = units.next().map(|(unit, blocks)| decoder.decode_blocks(unit, *blocks, |_| ()));
    let _ = decoder.conceal();
    let counted = allocation_counter::measure(|| {
        for (unit, blocks) in units.take(40) {
            let _ = decoder.decode_blocks(unit, *blocks, |_| ());
        }
        let _ = decoder.conceal();
    });
    assert_eq!(counted.count_total, 0, "{name}");
}

/// Streams of the project's samples.
fn samples() -> Vec<(String, Run)> {
    streams(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples"), &["adts"])
}

/// Streams of the corpus, whose folder is `MALIU_CORPUS`.
fn corpus() -> Vec<(String, Run)> {
    let folder = std::env::var_os("MALIU_CORPUS").expect("MALIU_CORPUS names the folder of the corpus");
    streams(&PathBuf::from(folder), &["synth/adts", "synth/heaac", "synth/latm", "real/aac_mp4"])
}

fn streams(root: &Path, folders: &[&str]) -> Vec<(String, Run)> {
    let mut found = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder with streams");
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Ok(data) = std::fs::read(&path) else { continue };
            let runs = match path.extension().and_then(|e| e.to_str()) {
                Some("aac") => adts::unpack(&data),
                Some("loas") => latm::unpack(&data),
                Some("m4a") => mp4::unpack(&data),
                _ => continue,
            };
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            found.extend(runs.into_iter().map(|run| (name.clone(), run)));
        }
    }
    assert!(!found.is_empty(), "no stream in {}", root.display());
    found
}
