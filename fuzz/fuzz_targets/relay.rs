//! relay: any bytes as a request of HTTP and as frames of a viewer over WebSocket.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| maliu_fuzz::relay::peers(data));
