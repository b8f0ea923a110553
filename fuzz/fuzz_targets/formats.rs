//! Any format of the list, by the first byte: a new one is fuzzed from the day it is listed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::listed(data));
