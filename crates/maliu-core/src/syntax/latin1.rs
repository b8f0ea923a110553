//! Text of one byte per letter (ISO/IEC 8859-1).

use alloc::string::String;

/// Bytes of ISO 8859-1 as text.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
