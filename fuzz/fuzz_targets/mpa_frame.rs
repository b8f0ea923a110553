//! mpa_frame: see maliu_fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::mpa_frame(data));
