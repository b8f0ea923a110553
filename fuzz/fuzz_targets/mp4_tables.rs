//! mp4_tables: sample tables of any content are walked to their end, and jumping gives what walking gives.
#![no_main]

use maliu_core::syntax::isobmff::{
    rows::Rows,
    samples::{Places, Sizes, Tables},
};

/// Samples that are walked; tables of one stated size may name billions.
const MOST: u32 = 2000;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut part = || -> &[u8] {
        let Some((first, behind)) = rest.split_first() else { return &[] };
        let (this, behind) = behind.split_at(usize::from(*first).min(behind.len()));
        rest = behind;
        this
    };
    let mut tables = Tables::default();
    tables.times = Rows::new(part(), 8, u32::MAX);
    tables.offsets = Rows::new(part(), 8, u32::MAX);
    tables.chunks = Rows::new(part(), 12, u32::MAX);
    tables.places = Places::parse(part(), false).unwrap_or_default();
    tables.sizes = Sizes::parse(part()).unwrap_or_default();
    tables.sync = Some(Rows::new(part(), 4, u32::MAX)).filter(|rows| !rows.is_empty());
    tables.settle();
    let mut cursor = tables.start();
    for number in 0..MOST {
        let Some(sample) = tables.sample(&mut cursor) else { return };
        let mut jumped = tables.at(number);
        let there = tables.sample(&mut jumped).expect("it was walked to");
        assert_eq!((sample.offset, sample.size, sample.dts), (there.offset, there.size, there.dts));
        tables.advance(&mut cursor);
    }
});
