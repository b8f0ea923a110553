//! Proof of a token that is never sent: HMAC-SHA-256 over the listener's challenge and what the hello says (RFC 2104).

use alloc::vec::Vec;

use super::super::message::{Hello, Mode, Role};
use crate::digest::{Digest, Kind};

/// The proof that belongs to a hello answering this challenge.
pub(super) fn of(token: &str, challenge: &[u8; 16], hello: &Hello) -> [u8; 32] {
    let role = match hello.role {
        Role::Sender => 1,
        Role::Player => 2,
    };
    let mode = match hello.mode {
        Mode::Reliable => 1,
        Mode::Live => 2,
    };
    let parts: [&[u8]; 4] = [challenge, &[role, mode], &hello.id.to_be_bytes(), hello.name.as_bytes()];
    hmac(token.as_bytes(), &parts)
}

/// Whether two proofs are equal, in a time that does not tell where they differ.
pub(super) fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differences, (a, b)| core::hint::black_box(differences | (a ^ b))) == 0
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    let hashed = sha256(&[key]);
    let key = if key.len() > block.len() { &hashed[..] } else { key };
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let inner_key = block.map(|byte| byte ^ 0x36);
    let outer_key = block.map(|byte| byte ^ 0x5c);
    let inner: Vec<&[u8]> = core::iter::once(&inner_key[..]).chain(parts.iter().copied()).collect();
    sha256(&[&outer_key, &sha256(&inner)])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Digest::new(Kind::Sha256);
    parts.iter().for_each(|part| digest.update(part));
    let text = digest.finish();
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = pair.iter().fold(0, |value, digit| value << 4 | nibble(*digit));
    }
    out
}

fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).map_or(0, |value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_4231() {
        let hex =
            |bytes: [u8; 32]| bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect::<alloc::string::String>();
        assert_eq!(
            hex(hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(hmac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"])),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
