//! ADTS frames: a scan for headers, with the positions and checksums of frames of several blocks (ISO/IEC 13818-7 §6.2).

use crate::Run;
use maliu_aac::Config;

pub(crate) fn unpack(data: &[u8]) -> Vec<Run> {
    let mut runs: Vec<([u8; 3], Run)> = Vec::new();
    let mut at = 0;
    while let Some(header) = data.get(at..at + 7) {
        let length = usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5] >> 5);
        if header[0] != 0xff || header[1] & 0xf6 != 0xf0 || length < 7 || at + length > data.len() {
            at += 1;
            continue;
        }
        let key = [(header[2] >> 6) + 1, header[2] >> 2 & 15, (header[2] & 1) << 2 | header[3] >> 6];
        if runs.last().is_none_or(|(known, _)| *known != key) {
            runs.push((key, Run { config: Config::from_adts(key[0], key[1], key[2]), units: Vec::new() }));
        }
        if let Some((_, run)) = runs.last_mut() {
            run.units.extend(split(&data[at..at + length]));
        }
        at += length;
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

fn split(frame: &[u8]) -> Vec<(Vec<u8>, u8)> {
    let (checked, blocks) = (frame[1] & 1 == 0, frame[6] & 3);
    match (checked, blocks) {
        (false, _) => vec![(frame[7..].to_vec(), blocks + 1)],
        (true, 0) => frame.get(9..).map(|body| (body.to_vec(), 1)).into_iter().collect(),
        (true, _) => {
            let blocks = usize::from(blocks) + 1;
            let position = |i: usize| match (i, frame.get(5 + 2 * i..7 + 2 * i)) {
                (1.., Some(&[high, low])) => usize::from(high) << 8 | usize::from(low),
                _ => 0,
            };
            let body = frame.get(7 + 2 * blocks..).unwrap_or_default();
            let starts: Vec<usize> = (0..blocks).map(position).chain([body.len()]).collect();
            let block = |w: &[usize]| Some((body.get(w[0]..w[1].checked_sub(2)?)?.to_vec(), 1));
            starts.windows(2).filter_map(block).collect()
        }
    }
}
