//! rtp: any bytes as datagrams of a session of two streams, in any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::rtp::sessions(data));
