//! mp4: any bytes, two splits, the same packets.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::read(Some("mp4"), data));
