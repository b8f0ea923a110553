//! Signatures inside handshakes, by which old players and encoders recognise a server (as Flash Player 9 made them).
//!
//! ```text
//!  C1, S1: time │ version │ … 32 bytes of HMAC-SHA-256 over the other 1504, at a place that four bytes give …
//!  C2, S2: 1504 random bytes │ HMAC-SHA-256 over them, with a key made from the peer's 32 bytes
//! ```

/// Bytes of C1, C2, S1 and S2.
pub(super) const SIZE: usize = 1536;

/// One of them.
pub(super) type Block = [u8; SIZE];

/// Bytes of a signature.
pub(super) const DIGEST: usize = 32;

/// The end that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// The connecting end.
    Player,
    /// The listening end.
    Server,
}

/// Places of the signature: where the four bytes stand that give it, and where it can stand first.
#[cfg(feature = "crypt")]
const SCHEMES: [(usize, usize); 2] = [(772, 776), (8, 12)];

/// Places that the four bytes can give.
#[cfg(feature = "crypt")]
const PLACES: usize = 728;

/// Signs a block: puts the signature where its own bytes say.
#[cfg(feature = "crypt")]
pub(super) fn sign(block: &mut Block, by: Signer) {
    let Some(at) = place(block, SCHEMES[1]) else { return };
    let digest = over(block, at, by);
    if let Some(room) = block.get_mut(at..at + DIGEST) {
        room.copy_from_slice(&digest);
    }
}

/// The signature in a block; `None` when it has no valid one.
#[cfg(feature = "crypt")]
pub(super) fn find(block: &Block, by: Signer) -> Option<[u8; DIGEST]> {
    SCHEMES.into_iter().find_map(|scheme| {
        let at = place(block, scheme)?;
        let there: [u8; DIGEST] = *block.get(at..)?.first_chunk()?;
        (over(block, at, by) == there).then_some(there)
    })
}

/// Makes a block an answer to the signature of the other end's first block.
#[cfg(feature = "crypt")]
pub(super) fn answer(block: &mut Block, to: &[u8; DIGEST], by: Signer) {
    let key = code(key::whole(by), &[to]);
    if let Some((random, room)) = block.split_last_chunk_mut::<DIGEST>() {
        *room = code(&key, &[random]);
    }
}

#[cfg(feature = "crypt")]
fn place(block: &Block, (from, first): (usize, usize)) -> Option<usize> {
    let [a, b, c, d] = *block.get(from..)?.first_chunk()?;
    Some((usize::from(a) + usize::from(b) + usize::from(c) + usize::from(d)) % PLACES + first)
}

#[cfg(feature = "crypt")]
fn over(block: &Block, at: usize, by: Signer) -> [u8; DIGEST] {
    let (before, behind) = (block.get(..at).unwrap_or_default(), block.get(at + DIGEST..).unwrap_or_default());
    code(key::name(by), &[before, behind])
}

#[cfg(feature = "crypt")]
fn code(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST] {
    use hmac::{Hmac, KeyInit, Mac};

    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return [0; DIGEST] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(feature = "crypt")]
mod key {
    use super::Signer;

    const PLAYER: &[u8; 62] = b"Genuine Adobe Flash Player 001\
        \xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";
    const SERVER: &[u8; 68] = b"Genuine Adobe Flash Media Server 001\
        \xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";

    /// The key of answers.
    pub(super) fn whole(by: Signer) -> &'static [u8] {
        match by {
            Signer::Player => PLAYER,
            Signer::Server => SERVER,
        }
    }

    /// The key of first blocks: the readable part.
    pub(super) fn name(by: Signer) -> &'static [u8] {
        let whole = whole(by);
        whole.get(..whole.len() - 32).unwrap_or_default()
    }
}

/// Without the feature `crypt` nothing is signed.
#[cfg(not(feature = "crypt"))]
pub(super) fn sign(_: &mut Block, _: Signer) {}

/// Without the feature `crypt` every handshake counts as plain.
#[cfg(not(feature = "crypt"))]
pub(super) fn find(_: &Block, _: Signer) -> Option<[u8; DIGEST]> {
    None
}

/// Without the feature `crypt` nothing is answered.
#[cfg(not(feature = "crypt"))]
pub(super) fn answer(_: &mut Block, _: &[u8; DIGEST], _: Signer) {}
