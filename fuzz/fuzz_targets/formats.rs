//! Any bytes as a format, two splits, the same packets: the format that MALIU_FORMAT names, else one by the first byte.
#![no_main]

use std::sync::LazyLock;

static FORMAT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MALIU_FORMAT").ok());

libfuzzer_sys::fuzz_target!(|data: &[u8]| match &*FORMAT {
    Some(name) => maliu_fuzz::read(Some(name), data),
    None => maliu_fuzz::listed(data),
});
