//! aac_unit: see maliu_fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::aac_unit(data));
