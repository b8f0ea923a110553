//! The first AAC track of an MP4 file: sample tables and decoder configuration (ISO/IEC 14496-12, 14496-14).

use crate::Run;
use maliu_aac::Config;

pub(crate) fn unpack(data: &[u8]) -> Vec<Run> {
    let tracks = boxes(find(data, b"moov").unwrap_or_default());
    for (kind, track) in tracks {
        if kind != *b"trak" {
            continue;
        }
        let path: [&[u8; 4]; 3] = [b"mdia", b"minf", b"stbl"];
        let Some(table) = path.iter().try_fold(track, |parent, name| find(parent, name)) else { continue };
        let Some(config) = find(table, b"stsd").and_then(decoder_config) else { continue };
        let units = samples(data, table).into_iter().map(|unit| (unit, 1)).collect();
        return vec![Run { config: Config::parse(&config), units }];
    }
    Vec::new()
}

fn boxes(mut data: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut found = Vec::new();
    while data.len() >= 8 {
        let (size, kind) = (number(data, 0), [data[4], data[5], data[6], data[7]]);
        let (header, size) = match size {
            0 => (8, data.len()),
            1 if data.len() >= 16 => (16, number(data, 12)),
            size => (8, size),
        };
        let Some(body) = data.get(header..size) else { break };
        found.push((kind, body));
        data = &data[size..];
    }
    found
}

fn find<'a>(data: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(data).into_iter().find(|(kind, _)| kind == name).map(|(_, body)| body)
}

fn number(data: &[u8], at: usize) -> usize {
    data.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
}

/// DecoderSpecificInfo, tag 5, wherever `esds` stands in the sample description.
fn decoder_config(description: &[u8]) -> Option<Vec<u8>> {
    let at = description.windows(4).position(|w| w == b"esds")? + 8;
    let mut esds = &description[at..];
    loop {
        let (&tag, mut rest) = esds.split_first()?;
        let mut length = 0;
        loop {
            let (&byte, after) = rest.split_first()?;
            length = length << 7 | usize::from(byte & 0x7f);
            rest = after;
            if byte < 0x80 {
                break;
            }
        }
        match tag {
            3 => {
                let flags = *rest.get(2)?;
                esds = rest.get(3 + 2 * usize::from(flags >> 7) + 2 * usize::from(flags >> 5 & 1)..)?;
            }
            4 => esds = rest.get(13..)?,
            5 => return rest.get(..length).map(<[u8]>::to_vec),
            _ => return None,
        }
    }
}

fn samples(data: &[u8], table: &[u8]) -> Vec<Vec<u8>> {
    let (sizes, chunks) = (find(table, b"stsz").unwrap_or_default(), find(table, b"stsc").unwrap_or_default());
    let (offsets, wide) = match find(table, b"stco") {
        Some(offsets) => (offsets, false),
        None => (find(table, b"co64").unwrap_or_default(), true),
    };
    let (fixed, count) = (number(sizes, 4), number(sizes, 8));
    let runs: Vec<(usize, usize)> =
        (0..number(chunks, 4)).map(|i| (number(chunks, 8 + 12 * i), number(chunks, 12 + 12 * i))).collect();
    let (mut found, mut sample) = (Vec::new(), 0);
    for chunk in 0..number(offsets, 4) {
        let mut at = if wide { number(offsets, 12 + 8 * chunk) } else { number(offsets, 8 + 4 * chunk) };
        let in_chunk = runs.iter().rev().find(|(first, _)| chunk + 1 >= *first).map_or(0, |(_, n)| *n);
        for _ in 0..in_chunk {
            let size = if fixed > 0 { fixed } else { number(sizes, 12 + 4 * sample) };
            if sample == count || data.len() < at + size {
                return found;
            }
            found.push(data[at..at + size].to_vec());
            at += size;
            sample += 1;
        }
    }
    found
}
