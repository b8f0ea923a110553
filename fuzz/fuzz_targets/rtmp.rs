//! rtmp: any bytes as those of a client and of a server, whole and in slices, behind a handshake and without one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::rtmp::sessions(data));
