//! MP4 files with one fault each.

use std::fs;

use maliu::syntax::isobmff::write::Writer;

use crate::binary::sample;

/// Bytes that provoke a code, and where it is to be found; `None` where no place is meant.
pub(crate) fn provocations() -> Vec<(&'static str, Vec<u8>, Option<u64>)> {
    let moov = box_at(&fs::read(sample("mp4/moov_behind.mp4")).unwrap(), b"moov", 0) as u64;
    let second = box_at(&fs::read(sample("mp4/fragments.mp4")).unwrap(), b"moof", 1) as u64;
    vec![
        ("no-moov", mp4("moov_behind", |file| file.truncate(box_at(file, b"moov", 0))), None),
        ("index-behind", mp4("moov_behind", |_| ()), Some(moov)),
        ("bad-tables", mp4("moov_behind", |file| add(file, b"stts", 8, 1)), Some(moov)),
        ("bad-offset", mp4("moov_behind", |file| shifted(file)), None),
        ("hole", mp4("fragments", |file| later(file)), Some(second)),
        ("far-apart", far_apart(), None),
        ("negative-start", mp4("fragments_edit", |file| early(file)), None),
    ]
}

/// Further damages, of codes that other formats have, too.
pub(crate) fn more() -> [(&'static str, Vec<u8>); 3] {
    let truncated = mp4("moov_front", |file| file.truncate(file.len() - 300));
    let open = mp4("moov_front", |file| {
        let at = box_at(file, b"mdat", 0);
        file[at..at + 4].fill(0);
    });
    let long = mp4("moov_front", |file| add(file, b"mvhd", 16, 900_000));
    [("cut", truncated), ("no-size", open), ("bad-duration", long)]
}

/// A sample with `change` made to it.
fn mp4(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = fs::read(sample(&format!("mp4/{name}.mp4"))).unwrap();
    change(&mut file);
    file
}

/// Where the box of this name begins, `n` others of the name before it.
fn box_at(file: &[u8], name: &[u8; 4], n: usize) -> usize {
    let places = file.windows(4).enumerate().filter(|(_, window)| window == name);
    places.map(|(at, _)| at - 4).nth(n).unwrap()
}

/// Adds to the number `at` bytes into the body of the first box of this name.
fn add(file: &mut [u8], name: &[u8; 4], at: usize, by: u32) {
    let at = box_at(file, name, 0) + 8 + at;
    let number = u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    file[at..at + 4].copy_from_slice(&(number + by).to_be_bytes());
}

/// Adds 3 to the offsets of all chunks.
fn shifted(file: &mut [u8]) {
    for n in 0..2 {
        let at = box_at(file, b"stco", n);
        let end = at + u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        for place in file[at + 16..end].chunks_exact_mut(4) {
            let offset = u32::from_be_bytes(place.try_into().unwrap());
            place.copy_from_slice(&(offset + 3).to_be_bytes());
        }
    }
}

/// Moves the second fragment 100,000 ticks on: several seconds are missing.
fn later(file: &mut [u8]) {
    for n in [2, 3] {
        let at = box_at(file, b"tfdt", n);
        let end = at + u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let number = u32::from_be_bytes(file[end - 4..end].try_into().unwrap());
        file[end - 4..end].copy_from_slice(&(number + 100_000).to_be_bytes());
    }
}

/// Lets the edit lists begin 20,000 ticks into the media.
fn early(file: &mut [u8]) {
    for n in 0..2 {
        let at = box_at(file, b"elst", n);
        let end = at + u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        file[end - 8..end - 4].copy_from_slice(&20_000_u32.to_be_bytes());
    }
}

/// Two tracks of µ-law of 20 s, one behind the other, and their index.
fn far_apart() -> Vec<u8> {
    const FRAMES: u32 = 160_000;
    let numbers = |w: &mut Writer, name: &[u8; 4], numbers: &[u32]| {
        w.full(name, 0, 0, |w| numbers.iter().for_each(|number| w.u32(*number)));
    };
    let mut w = Writer::new();
    w.boxed(b"mdat", |w| w.zeros(2 * FRAMES as usize));
    w.boxed(b"moov", |w| {
        numbers(w, b"mvhd", &[0, 0, 8000, FRAMES]);
        for id in 1..3 {
            w.boxed(b"trak", |w| {
                numbers(w, b"tkhd", &[0, 0, id]);
                w.boxed(b"mdia", |w| {
                    numbers(w, b"mdhd", &[0, 0, 8000, FRAMES, 0x55c4_0000]);
                    numbers(w, b"hdlr", &[0, u32::from_be_bytes(*b"soun")]);
                    w.boxed(b"minf", |w| {
                        w.boxed(b"stbl", |w| {
                            w.full(b"stsd", 0, 0, |w| {
                                w.u32(1);
                                w.boxed(b"ulaw", |w| {
                                    w.zeros(7);
                                    w.u8(1);
                                    w.zeros(8);
                                    w.bytes(&[0, 1, 0, 16, 0, 0, 0, 0, 0x1f, 0x40, 0, 0]);
                                });
                            });
                            numbers(w, b"stts", &[1, FRAMES, 1]);
                            numbers(w, b"stsc", &[1, 1, FRAMES, 1]);
                            numbers(w, b"stsz", &[1, FRAMES]);
                            numbers(w, b"stco", &[1, 8 + (id - 1) * FRAMES]);
                        });
                    });
                });
            });
        }
    });
    w.finish()
}
