//! Proof of a token that is never sent: HMAC-SHA-256 over the listener's challenge and what the hello says (RFC 2104).

use super::{super::message::Hello, Fault};

/// The proof that belongs to a hello answering this challenge.
#[cfg(feature = "crypt")]
pub(super) fn of(token: &str, challenge: &[u8; 16], hello: &Hello) -> Result<[u8; 32], Fault> {
    use super::super::message::{Mode, Role};

    let role = match hello.role {
        Role::Sender => 1,
        Role::Player => 2,
    };
    let mode = match hello.mode {
        Mode::Reliable => 1,
        Mode::Live => 2,
    };
    code(token.as_bytes(), &[challenge, &[role, mode], &hello.id.to_be_bytes(), hello.name.as_bytes()])
}

/// Refuses to prove anything: without the feature `crypt` a token can be neither sent nor checked.
#[cfg(not(feature = "crypt"))]
pub(super) fn of(_: &str, _: &[u8; 16], _: &Hello) -> Result<[u8; 32], Fault> {
    Err(Fault::NoTokens)
}

/// Checks the proof in a hello, in a time that does not depend on where it is wrong.
#[cfg(feature = "crypt")]
pub(super) fn check(token: &str, challenge: &[u8; 16], hello: &Hello) -> Result<(), Fault> {
    use subtle::ConstantTimeEq;

    match bool::from(of(token, challenge, hello)?.ct_eq(&hello.proof)) {
        true => Ok(()),
        false => Err(Fault::Unauthorized),
    }
}

/// Refuses every hello: see [`of`].
#[cfg(not(feature = "crypt"))]
pub(super) fn check(_: &str, _: &[u8; 16], _: &Hello) -> Result<(), Fault> {
    Err(Fault::NoTokens)
}

#[cfg(feature = "crypt")]
fn code(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], Fault> {
    use hmac::{Hmac, KeyInit, Mac};

    // HMAC takes keys of any length.
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).map_err(|_| Fault::NoTokens)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(all(test, feature = "crypt"))]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_4231() {
        let hex =
            |bytes: [u8; 32]| bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect::<alloc::string::String>();
        assert_eq!(
            hex(code(b"Jefe", &[b"what do ya want ", b"for nothing?"]).unwrap()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(code(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]).unwrap()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
