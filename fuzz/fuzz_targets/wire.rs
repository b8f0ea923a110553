//! wire: any bytes as messages, two splits, the same content; and as what a peer says to a receiver and to a sender.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::wire(data));
