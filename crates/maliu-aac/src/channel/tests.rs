//! Made-up units of the error resilient object types, written with each of their tools: they all have to sound the
//! same.

use super::reorder::{WIDTHS, priority};
use super::reversible::{CODES, ESCAPES};
use super::sections::NOISE_OFFSET;
use super::{Resilience, Syntax, book, spectrum};
use crate::tables::{TABLES, codebooks};
use crate::{Config, Decoder, Options};

/// Bits being written.
#[derive(Clone, Default)]
struct Put(Vec<bool>);

impl Put {
    fn put(&mut self, value: usize, count: usize) {
        (0..count).rev().for_each(|bit| self.0.push(value >> bit & 1 != 0));
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i));
        self.0.chunks(8).map(byte).collect()
    }
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

/// A code with its signs and escapes.
struct Word {
    bits: Put,
    largest: usize,
}

impl Word {
    fn any(book: usize, chance: &mut Chance) -> Word {
        let table = &codebooks::SPECTRAL[book - 1];
        let symbol = chance.below(table.codes.len());
        let mut word = Word { bits: Put::default(), largest: 0 };
        word.bits.put(table.codes[symbol] as usize, table.lengths[symbol].into());
        let lines = &TABLES.spectral[book - 1].lines[symbol][..if book < 5 { 4 } else { 2 }];
        let magnitudes = lines.iter().map(|line| line.abs().powf(0.75).round() as usize);
        if !matches!(book, 1 | 2 | 5 | 6) {
            magnitudes.clone().filter(|magnitude| *magnitude > 0).for_each(|_| word.bits.put(chance.below(2), 1));
        }
        for mut magnitude in magnitudes {
            if book == 11 && magnitude == 16 {
                let ones = chance.below(9);
                let low = chance.below(1 << (ones + 4));
                word.bits.put((2 << ones) - 2, ones + 1);
                word.bits.put(low, ones + 4);
                magnitude = (1 << (ones + 4)) + low;
            }
            word.largest = word.largest.max(magnitude);
        }
        word
    }
}

struct Band {
    book: u8,
    /// The factor as the stream counts it.
    factor: i32,
    /// Codes of each window.
    windows: Vec<Vec<Word>>,
}

/// Content of a channel in a unit, however it is written.
struct Plan {
    short: bool,
    gain: i32,
    /// Bands by group.
    groups: Vec<Vec<Band>>,
    /// Windows of each group.
    lengths: Vec<usize>,
    max_sfb: usize,
    /// Lines that each band has of a window.
    widths: Vec<usize>,
    tns: bool,
}

impl Plan {
    fn any(syntax: &Syntax, books: &[u8], chance: &mut Chance) -> Plan {
        let short = !syntax.low_delay() && chance.below(2) == 0;
        let table = if short { syntax.short } else { syntax.long };
        let mut lengths = vec![1];
        for _ in 1..if short { 8 } else { 1 } {
            match lengths.last_mut() {
                Some(last) if chance.below(2) == 0 => *last += 1,
                _ => lengths.push(1),
            }
        }
        let max_sfb = chance.below(usize::from(table.count) + 1);
        let widths: Vec<_> = (0..max_sfb).map(|band| table.range(band).len()).collect();
        let gain = 110;
        let (mut coded, mut noise, mut position) = (gain, gain - NOISE_OFFSET, 0);
        // The escapes of reversible codes have to fit in 255 bits.
        let mut jumps = 0;
        let mut groups = Vec::new();
        for windows in &lengths {
            let mut bands = Vec::new();
            for width in &widths {
                let book = books[chance.below(books.len())];
                let (walk, least) = match book {
                    book::NOISE => (&mut noise, 0),
                    book::INTENSITY | book::INTENSITY_OUT_OF_PHASE => (&mut position, -40),
                    _ => (&mut coded, 70),
                };
                let step = [0, 1, 5, 12, 59][chance.below(5)];
                if book != book::ZERO {
                    let next = (*walk + chance.below(2 * step + 1) as i32 - step as i32).clamp(least, least + 60);
                    jumps += u32::from(next.abs_diff(*walk) >= 7);
                    *walk = if jumps < 10 { next } else { *walk };
                }
                let words = match book {
                    book::ZERO | book::NOISE..book::VIRTUAL => 0,
                    1..=4 => width / 4,
                    _ => width / 2,
                };
                let window = |chance: &mut Chance| (0..words).map(|_| Word::any(book.into(), chance)).collect();
                bands.push(Band { book, factor: *walk, windows: (0..*windows).map(|_| window(chance)).collect() });
            }
            groups.push(bands);
        }
        Plan { short, gain, groups, lengths, max_sfb, widths, tns: chance.below(2) == 0 }
    }

    fn write(&self, put: &mut Put, syntax: &Syntax) {
        put.put(self.gain as usize, 8);
        if !syntax.eld() {
            put.put(if self.short { 0b0101 } else { 0b0000 }, 4);
        }
        put.put(self.max_sfb, if self.short { 4 } else { 6 });
        if self.short {
            let joined = self.lengths.iter().flat_map(|n| (0..*n).map(|i| usize::from(i > 0))).skip(1);
            joined.for_each(|bit| put.put(bit, 1));
        } else if !syntax.eld() {
            put.put(0, 1); // predictor_data_present
        }
        let Resilience { sections, scale_factors, spectrum } = syntax.resilience;
        self.write_sections(put, sections);
        let reversible = self.write_scales(put, scale_factors);
        put.put(0, if syntax.eld() { 0 } else { 1 }); // pulse_data_present
        put.put(self.tns.into(), 1);
        put.put(0, if syntax.eld() { 0 } else { 1 }); // gain_control_data_present
        if syntax.eld() {
            self.write_tns(put);
        }
        let mut lines = Put::default();
        if spectrum {
            let longest = self.write_reordered(&mut lines, sections);
            put.put(lines.0.len(), 14);
            put.put(longest, 6);
        } else {
            let words = self.groups.iter().flatten().flat_map(|band| band.windows.iter().flatten());
            words.for_each(|word| lines.0.extend(&word.bits.0));
        }
        put.0.extend(reversible.0);
        if !syntax.eld() {
            self.write_tns(put);
        }
        put.0.extend(lines.0);
    }

    fn write_sections(&self, put: &mut Put, resilient: bool) {
        let width = if self.short { 3 } else { 5 };
        let escape = (1 << width) - 1;
        for bands in &self.groups {
            for same in bands.chunk_by(|a, b| a.book == b.book && !(resilient && a.book == book::ESCAPE)) {
                put.put(said(&same[0], resilient).into(), if resilient { 5 } else { 4 });
                if !(resilient && same[0].book == book::ESCAPE) {
                    (0..same.len() / escape).for_each(|_| put.put(escape, width));
                    put.put(same.len() % escape, width);
                }
            }
        }
    }

    /// Writes scale_factor_data, or what stands in its place; then what follows later is returned.
    fn write_scales(&self, put: &mut Put, resilient: bool) -> Put {
        let (mut plain, mut codes, mut escapes) = (Put::default(), Put::default(), Put::default());
        let mut reverse = |difference: i32| {
            let (code, length) = CODES[(difference.clamp(-7, 7) + 7) as usize];
            codes.put(code as usize, length.into());
            if difference.abs() >= 7 {
                let (code, length) = ESCAPES[(difference.abs() - 7) as usize];
                escapes.put(code as usize, length.into());
            }
        };
        let (mut coded, mut noise, mut position) = (self.gain, None, None);
        for Band { book, factor, .. } in self.groups.iter().flatten() {
            let before = match *book {
                book::ZERO => continue,
                book::NOISE if noise.is_none() => {
                    plain.put((factor - self.gain + NOISE_OFFSET + 256) as usize, 9);
                    noise = Some((*factor, *factor));
                    continue;
                }
                book::NOISE => std::mem::replace(&mut noise.as_mut().expect("it was set").1, *factor),
                book::INTENSITY | book::INTENSITY_OUT_OF_PHASE => position.replace(*factor).unwrap_or(0),
                _ => std::mem::replace(&mut coded, *factor),
            };
            let symbol = (factor - before + 60) as usize;
            let book = &codebooks::SCALE_FACTORS;
            plain.put(book.codes[symbol] as usize, book.lengths[symbol].into());
            reverse(factor - before);
        }
        if !resilient {
            put.0.extend(plain.0);
            return Put::default();
        }
        if let Some(last) = position {
            reverse(last);
        }
        let start = self.gain - NOISE_OFFSET - 256;
        put.put(0, 1);
        put.put(coded as usize, 8);
        put.put(codes.0.len() + if noise.is_some() { 9 } else { 0 }, if self.short { 11 } else { 9 });
        noise.inspect(|(first, _)| put.put((first - start) as usize, 9));
        put.put((!escapes.0.is_empty()).into(), 1);
        put.put(escapes.0.len(), if escapes.0.is_empty() { 0 } else { 8 });
        noise.inspect(|(_, last)| put.put((last - (coded - NOISE_OFFSET - 256)) as usize, 9));
        codes.0.extend(escapes.0);
        codes
    }

    fn write_tns(&self, put: &mut Put) {
        for window in 0..if !self.tns {
            0
        } else if self.short {
            8
        } else {
            1
        } {
            let (count, length, order) = if self.short { (1, 4, 3) } else { (2, 6, 5) };
            let present = window % 3 == 0;
            put.put(present.into(), count);
            if present {
                put.put(1, 1);
                put.put(10, length);
                put.put(2, order);
                put.put(0b00_0011_1101, 10);
            }
        }
    }

    /// Writes the codewords into segments; returns the length of the longest.
    fn write_reordered(&self, put: &mut Put, resilient: bool) -> usize {
        let mut words = Vec::new();
        for (band, width) in self.widths.iter().enumerate() {
            for unit in 0..width / 4 {
                for coded in self.groups.iter().map(|group| &group[band]) {
                    for window in &coded.windows {
                        let share = window.len() / (width / 4);
                        words.extend(window[unit * share..][..share].iter().map(|word| (said(coded, resilient), word)));
                    }
                }
            }
        }
        words.sort_by_key(|(book, _)| std::cmp::Reverse(priority(*book)));
        let longest = words.iter().map(|(_, word)| word.bits.0.len()).max().unwrap_or(0);
        let total: usize = words.iter().map(|(_, word)| word.bits.0.len()).sum();
        let mut ends = vec![];
        for (book, _) in &words {
            let end = ends.last().unwrap_or(&0) + longest.min(WIDTHS[usize::from(*book)].into());
            if end > total {
                break;
            }
            ends.push(end);
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let mut segments: Vec<_> = starts.zip(&ends).map(|(start, end)| start..*end).collect();
        if let Some(last) = segments.last_mut() {
            last.end = total;
        }
        let mut bits = vec![false; total];
        for (set, words) in words.chunks(segments.len().max(1)).enumerate() {
            let mut rest: Vec<_> = words.iter().map(|(_, word)| word.bits.0.iter()).collect();
            for trial in 0..segments.len() {
                for (i, rest) in rest.iter_mut().enumerate() {
                    let at = (i + trial) % segments.len();
                    let room = segments[at].len().min(rest.len());
                    for bit in rest.take(room) {
                        let place = if set % 2 == 0 { segments[at].next() } else { segments[at].next_back() };
                        bits[place.expect("there is room")] = *bit;
                    }
                }
            }
        }
        put.0.extend(bits);
        longest
    }
}

/// The codebook a band is said to have.
fn said(band: &Band, resilient: bool) -> u8 {
    let largest = band.windows.iter().flatten().map(|word| word.largest).max().unwrap_or(0);
    let fits = |book: &u8| spectrum::largest(*book) >= largest;
    match (resilient, band.book) {
        (true, book::ESCAPE) => (book::VIRTUAL..32).find(fits).unwrap_or(book::ESCAPE),
        (_, book) => book,
    }
}

/// An AudioSpecificConfig at 44.1 kHz, with 1 or 2 channels.
fn configuration(object_type: usize, channels: usize, tools: Resilience) -> Vec<u8> {
    let mut put = Put::default();
    let eld = object_type == 39;
    match eld {
        true => put.put(31 << 6 | 7, 11),
        false => put.put(object_type, 5),
    }
    put.put(4 << 4 | channels, 8);
    put.put(if eld { 0 } else { 1 }, if eld { 1 } else { 3 });
    [tools.sections, tools.scale_factors, tools.spectrum].iter().for_each(|tool| put.put((*tool).into(), 1));
    put.put(0, 1 + if eld { 4 } else { 0 } + 2);
    put.bytes()
}

/// A unit with extension payloads behind its channels.
fn unit(plans: &[Plan], syntax: &Syntax, payloads: &[u8]) -> Vec<u8> {
    let mut put = Put::default();
    put.put(0, if syntax.eld() { 0 } else { 4 } + if plans.len() == 2 { 1 } else { 0 });
    plans.iter().for_each(|plan| plan.write(&mut put, syntax));
    payloads.iter().for_each(|byte| put.put((*byte).into(), 8));
    put.bytes()
}

const BOOKS: [u8; 15] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 13, 15];

#[test]
fn every_error_resilience_tool_sounds_as_without_it() {
    let mut chance = Chance(0x5eed_1234);
    for (object_type, channels) in [(17, 1), (17, 2), (23, 1), (23, 2), (39, 1)] {
        let mut decoders = Vec::new();
        for tools in 0..8 {
            let tools =
                Resilience { sections: tools & 1 != 0, scale_factors: tools & 2 != 0, spectrum: tools & 4 != 0 };
            let config = Config::parse(&configuration(object_type, channels, tools)).expect("a configuration");
            assert_eq!(config.resilience, tools);
            decoders.push((Syntax::of(&config), Decoder::new(config).expect("a decoder")));
        }
        for round in 0..40 {
            // A unit of one codebook, or of all.
            let books = if round < BOOKS.len() { &BOOKS[round..=round] } else { &BOOKS };
            let plans: Vec<_> = (0..channels).map(|_| Plan::any(&decoders[0].0, books, &mut chance)).collect();
            let mut expected = Vec::new();
            for (syntax, decoder) in &mut decoders {
                let tools = syntax.resilience;
                let frame = decoder.decode(&unit(&plans, syntax, &[]));
                let frame = frame.unwrap_or_else(|fault| panic!("{object_type} {round} {tools:?}: {fault}"));
                let sound: Vec<_> = (0..channels).map(|channel| frame.channel(channel).to_vec()).collect();
                if expected.is_empty() {
                    expected = sound;
                } else {
                    assert!(sound == expected, "{object_type} {round} {tools:?}");
                }
            }
            assert!(expected.iter().flatten().all(|sample| sample.is_finite()));
            assert!(round != 39 || expected.iter().flatten().any(|sample| *sample != 0.0));
        }
    }
}

#[test]
fn payloads_behind_error_resilient_channels_are_heard() {
    let drc = Options { drc: true, ..Options::default() };
    // A data element of two bytes, then gains: 24 steps down.
    let gains = [0x20, 2, 0xff, 0xff, 0xb0, 0x98];
    // SBR: a header, one envelope of low resolution, all levels equal.
    let sbr = [0xdd, 0x64, 0x00, 0x00, 0x00, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let plain = configuration(17, 1, Resilience::default());
    // Object type 5 at 24 and 48 kHz around object type 17.
    let extended = [0x2b, 0x09, 0xc4, 0x00];
    let mut chance = Chance(0x1bad_cafe);
    for (asc, payloads) in [(&plain[..], &gains[..]), (&extended, &sbr)] {
        let config = Config::parse(asc).expect("a configuration");
        let syntax = Syntax::of(&config);
        let decoder = || Decoder::with_options(config.clone(), drc).expect("a decoder");
        let [mut without, mut with] = [decoder(), decoder()];
        let mut differ = false;
        for _ in 0..8 {
            let plans = [Plan::any(&syntax, &[2, 3, 7], &mut chance)];
            let bare = without.decode(&unit(&plans, &syntax, &[])).expect("a unit").channel(0).to_vec();
            let heard = with.decode(&unit(&plans, &syntax, payloads)).expect("a unit with payloads");
            differ |= bare != heard.channel(0);
            if payloads == gains {
                let half: Vec<_> = bare.iter().map(|sample| 0.5 * sample).collect();
                assert!(half == heard.channel(0));
            }
        }
        assert!(differ, "{payloads:02x?}");
    }
}
