//! aac_config: see maliu_fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = maliu_aac::Config::parse(data);
});
