//! ADTS frames: a scan for headers, with the positions and checksums of frames of several blocks (ISO/IEC 13818-7 §6.2).

use crate::Run;
use maliu_aac::Config;

pub fn unpack(data: &[u8]) -> Vec<Run> {
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
        (true, 0) => vec![(frame[9..].to_vec(), 1)],
        (true, _) => {
            let blocks = usize::from(blocks) + 1;
            let body = &frame[7 + 2 * blocks..];
            let position = |i: usize| usize::from(frame[5 + 2 * i]) << 8 | usize::from(frame[6 + 2 * i]);
            let mut starts: Vec<usize> = (0..blocks).map(|i| if i == 0 { 0 } else { position(i) }).collect();
            starts.push(body.len());
            starts.windows(2).map(|w| (body[w[0]..w[1] - 2].to_vec(), 1)).collect()
        }
    }
}
