//! Tables that are walked, jumped into, and damaged.

use alloc::{vec, vec::Vec};

use super::*;

fn rows(width: usize, numbers: &[u32]) -> Rows {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    Rows::new(&bytes, width, u32::MAX)
}

fn places(offsets: &[u32]) -> Places {
    Places { rows: rows(4, offsets), long: false, shift: 0 }
}

fn all(tables: &Tables) -> Vec<(u64, u32, i64, i64, bool)> {
    let (mut cursor, mut found) = (tables.start(), vec![]);
    while let Some(sample) = tables.sample(&mut cursor) {
        found.push((sample.offset, sample.size, sample.dts, sample.pts, sample.sync));
        tables.advance(&mut cursor);
    }
    found
}

#[test]
fn all_tables_are_walked_together() {
    let mut tables = Tables {
        times: rows(8, &[2, 10, 0, 99, 9, 20]),
        offsets: rows(8, &[1, 5, 1, 0, 2, -4_i32 as u32]),
        chunks: rows(12, &[1, 2, 1, 2, 1, 1]),
        places: places(&[100, 500, 900]),
        sizes: Sizes { constant: 0, count: 4, rows: rows(4, &[7, 8, 9, 10]), bits: 32 },
        sync: Some(rows(4, &[1, 4])),
        ..Tables::default()
    };
    tables.settle();
    let expected = [(100, 7, -4, 5, true), (107, 8, 6, 10, false), (500, 9, 16, 16, false), (900, 10, 36, 36, true)];
    assert_eq!(all(&tables), expected);
    for (n, wanted) in expected.iter().enumerate() {
        let mut cursor = tables.at(n as u32);
        let sample = tables.sample(&mut cursor).unwrap();
        assert_eq!((sample.offset, sample.size, sample.dts, sample.pts, sample.sync), *wanted, "{n}");
        assert_eq!((tables.decoded_by(wanted.2), tables.decoded_by(wanted.2 + 3)), (Some(n as u32), Some(n as u32)));
    }
    assert_eq!(tables.decoded_by(-5), None);
    assert_eq!((tables.sync_by(2), tables.sync_by(3), tables.sync_by(9)), (Some(0), Some(3), Some(3)));
}

#[test]
fn uniform_samples_come_in_packets_that_end_with_their_chunk() {
    let tables = Tables {
        chunks: rows(12, &[1, 1500, 1]),
        places: places(&[0, 10_000]),
        uniform: Some(Uniform { frames: 1, bytes: 4 }),
        ..Tables::default()
    };
    let expected = [(0, 4096, 0), (4096, 1904, 1024), (10_000, 4096, 1500), (14_096, 1904, 2524)];
    assert_eq!(all(&tables).iter().map(|s| (s.0, s.1, s.2)).collect::<Vec<_>>(), expected);
    let blocks = Uniform { frames: 64, bytes: 34 };
    assert_eq!((blocks.packet(2000), blocks.packet(58), blocks.packet(100)), ((1024, 544), (58, 34), (100, 68)));
}

#[test]
fn tables_that_disagree_end_and_do_not_loop() {
    let huge = Tables {
        times: rows(8, &[u32::MAX, u32::MAX]),
        chunks: rows(12, &[1, u32::MAX, 1, 1, 0, 1, 9, 0, 0]),
        places: places(&[4, 8]),
        sizes: Sizes { constant: 1, count: u32::MAX, ..Sizes::default() },
        ..Tables::default()
    };
    let mut cursor = huge.start();
    huge.skip_chunk(&mut cursor);
    huge.skip_chunk(&mut cursor);
    assert_eq!(huge.sample(&mut cursor), None);
    assert_eq!(all(&Tables { places: places(&[1]), ..Tables::default() }), []);
}

#[test]
fn compact_sizes_of_every_width_are_read() {
    let body = |bits: u8, count: u8, rest: &[u8]| [&[0, 0, 0, 0, 0, 0, 0, bits, 0, 0, 0, count], rest].concat();
    let sizes = |bits, count, rest: &[u8]| {
        let sizes = Sizes::parse_compact(&body(bits, count, rest)).unwrap();
        (0..sizes.len()).map(|n| sizes.get(n).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(4, 3, &[0x12, 0x3f]), [1, 2, 3]);
    assert_eq!(sizes(8, 2, &[9, 8]), [9, 8]);
    assert_eq!(sizes(16, 9, &[1, 0, 0]), [256]);
    assert!(Sizes::parse_compact(&body(5, 1, &[1])).is_none());
}
