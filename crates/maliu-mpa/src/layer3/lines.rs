//! Huffman codes to dequantised lines (ISO/IEC 11172-3 §2.4.2.7, §2.4.3.4).

use multiversion::multiversion;

use super::bands::{Layout, Layouts};
use super::huffman::{Codes, Huffman, Pairs};
use crate::Error;
use crate::bits::Bits;
use crate::side_info::{Granule, Regions};

/// Lines of a granule in their places: rows of 32 subbands.
pub(crate) type Lines = [f32; 576];

/// Pairs of lines: where to put them and the gain of each.
struct Pairing<'a> {
    places: &'a [[u16; 2]],
    gains: &'a [f32],
}

impl<'a> Pairing<'a> {
    fn range(&self, from: usize, to: usize) -> Pairing<'a> {
        Pairing {
            places: self.places.get(from..to).unwrap_or_default(),
            gains: self.gains.get(from..to).unwrap_or_default(),
        }
    }
}

/// Tables for decoding lines.
pub(crate) struct Tables {
    codes: Codes,
    /// q^(4/3) for each magnitude that an escape can give.
    powers: Box<[f32; 8207]>,
    /// The same of 0 to 15, then negative.
    signed: [f32; 32],
}

impl Tables {
    pub(crate) fn new() -> Tables {
        let power = |q: usize| (q as f64).powf(4.0 / 3.0) as f32;
        let powers: Vec<f32> = (0..8207).map(power).collect();
        Tables {
            codes: Codes::new(),
            powers: powers.try_into().expect("8207 powers were made"),
            signed: std::array::from_fn(|i| if i < 16 { power(i) } else { -power(i - 16) }),
        }
    }
}

/// The granule that is read.
pub(crate) struct Source<'a> {
    pub(crate) granule: &'a Granule,
    pub(crate) layouts: &'a Layouts,
    pub(crate) layout: &'a Layout,
    pub(crate) gains: &'a [f32; 288],
}

/// Data read of a granule.
pub(crate) struct Extent {
    /// Pairs that may be other than zero.
    pub(crate) pairs: usize,
    /// The codes ended where the granule ends, or with its last line: the rest is padding.
    pub(crate) exact: bool,
}

/// Reads the lines of a granule into `lines`, which are zeros; `bits` stands behind the scale factors and ends with the
/// granule.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2"))]
pub(crate) fn read(tables: &Tables, source: &Source, bits: &mut Bits, lines: &mut Lines) -> Result<Extent, Error> {
    let Source { granule, layouts, layout, gains } = *source;
    let malformed = |what, bits: &Bits| Err(Error::Malformed { what, bit: bits.position() });
    if bits.overrun() {
        return malformed("scale factors longer than their granule", bits);
    }
    let all = Pairing { places: &layout.places[..], gains: &gains[..] };
    let big = granule.big_values;
    let (first, second) = regions(granule, layouts);
    let (first, second) = (first.min(big), second.clamp(first.min(big), big));
    for (select, from, to) in [(0, 0, first), (1, first, second), (2, second, big)] {
        let select = granule.table_select[select];
        if from == to || select == 0 {
            continue;
        }
        let Some(table) = tables.codes.table(select) else { return malformed("reserved Huffman table", bits) };
        let pairing = all.range(from, to);
        match table {
            Pairs { linbits: 0, short: true, codes } => plain::<4>(codes, &tables.signed, bits, &pairing, lines),
            Pairs { linbits: 0, codes, .. } => plain::<2>(codes, &tables.signed, bits, &pairing, lines),
            table => escaped(tables, table, bits, &pairing, lines),
        }
    }
    if bits.overrun() {
        return malformed("Huffman codes longer than their granule", bits);
    }
    let quads = &tables.codes.quads[usize::from(granule.count1table_select)];
    let end = big + 2 * count1(quads, bits, &all.range(big, 288), lines);
    Ok(Extent { pairs: end.min(288), exact: !bits.overrun() && (bits.left() == 0 || end + 2 > 288) })
}

/// Pairs of lines in the first region, and in the first two.
fn regions(granule: &Granule, layouts: &Layouts) -> (usize, usize) {
    match granule.regions {
        Regions::Fixed if granule.block_type == 2 => (layouts.fixed_short, 288),
        Regions::Fixed => (layouts.fixed_long, 288),
        Regions::Counted { region0_count, region1_count } => {
            let edge = |bands: u8| layouts.long.edges[usize::from(bands).min(22)] / 2;
            (edge(region0_count + 1), edge(region0_count + region1_count + 2))
        }
    }
}

/// Codes without escapes, of which `N` with their signs fit into 56 bits.
#[inline(always)]
fn plain<const N: usize>(codes: &Huffman, powers: &[f32; 32], bits: &mut Bits, pairs: &Pairing, lines: &mut Lines) {
    let mut put = |window: &mut u64, places: &[u16; 2], gain: f32| {
        let code = codes.decode(*window);
        *window <<= code.length();
        lines[usize::from(places[0]) % 576] = powers[code.x()] * gain;
        lines[usize::from(places[1]) % 576] = powers[code.y()] * gain;
        code.length() as usize
    };
    let ((places, last_places), (gains, last_gains)) = (pairs.places.as_chunks::<N>(), pairs.gains.as_chunks::<N>());
    for (places, gains) in places.iter().zip(gains) {
        let mut window = bits.window();
        let taken: usize = places.iter().zip(gains).map(|(places, gain)| put(&mut window, places, *gain)).sum();
        bits.skip(taken);
    }
    for (places, gain) in last_places.iter().zip(last_gains) {
        let taken = put(&mut bits.window(), places, *gain);
        bits.skip(taken);
    }
}

/// Codes of which some are followed by more bits.
#[inline(always)]
fn escaped(tables: &Tables, table: Pairs, bits: &mut Bits, pairs: &Pairing, lines: &mut Lines) {
    for (places, gain) in pairs.places.iter().zip(pairs.gains) {
        let code = table.codes.decode(bits.window());
        bits.skip(code.length() as usize);
        let [x, y] = if code.is_escape() {
            [magnitude(tables, table.linbits, bits, code.x()), magnitude(tables, table.linbits, bits, code.y())]
        } else {
            [tables.signed[code.x()], tables.signed[code.y()]]
        };
        lines[usize::from(places[0]) % 576] = x * gain;
        lines[usize::from(places[1]) % 576] = y * gain;
    }
}

/// A value of an escape with its further bits and its sign.
#[inline(always)]
fn magnitude(tables: &Tables, linbits: u32, bits: &mut Bits, value: usize) -> f32 {
    let more = if value == 15 { bits.read(linbits) as usize } else { 0 };
    let power = tables.powers[(value + more).min(8206)];
    if value > 0 && bits.flag() { -power } else { power }
}

/// Quads of lines that are 0 or ±1, until the granule ends; one that reaches beyond its end does not count. Returns how
/// many there are.
#[inline(always)]
fn count1(codes: &Huffman, bits: &mut Bits, pairs: &Pairing, lines: &mut Lines) -> usize {
    const VALUES: [f32; 4] = [0.0, 1.0, 0.0, -1.0];
    let mut count = 0;
    let quads = pairs.places.as_chunks::<2>().0.iter().zip(pairs.gains.as_chunks::<2>().0);
    for (places, gains) in quads {
        if bits.left() == 0 {
            break;
        }
        let code = codes.decode(bits.window());
        bits.skip(code.length() as usize);
        if bits.overrun() {
            break;
        }
        let quad = code.quad();
        for (i, place) in places.as_flattened().iter().enumerate() {
            lines[usize::from(*place) % 576] = VALUES[quad[i]] * gains[i / 2];
        }
        count += 1;
    }
    count
}
