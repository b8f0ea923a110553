//! layout_guess: see maliu_fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::layout_guess(data));
