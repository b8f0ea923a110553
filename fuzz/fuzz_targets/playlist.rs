//! playlist: any bytes as a playlist of HLS, in two splits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::playlist(data));
