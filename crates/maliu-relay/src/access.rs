//! The right to publish and to watch: tokens, signatures of names that end at a time, and JSON Web Tokens.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{jwt::KeySet, name::Name};

/// The right that a signature gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To publish a stream.
    Publish,
    /// To watch a stream.
    Play,
}

impl Purpose {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Play => "play",
        }
    }
}

/// The query of a URL that lets its bearer publish or watch the stream `name`, such as `live/show`, until `expires`, in
/// seconds since 1970: `e=EXPIRES&s=SIGNATURE`, where SIGNATURE is HMAC-SHA-256 of `PURPOSE|NAME|EXPIRES` in hexadecimal.
pub fn sign(secret: &str, purpose: Purpose, name: &str, expires: u64) -> String {
    let signature = mac(secret, purpose, name, expires).finalize().into_bytes();
    format!("e={expires}&s={}", hexadecimal(&signature))
}

fn mac(secret: &str, purpose: Purpose, name: &str, expires: u64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length is taken");
    mac.update(format!("{}|{name}|{expires}", purpose.word()).as_bytes());
    mac
}

/// The things a peer shows.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub(crate) tokens: Vec<String>,
    pub(crate) expires: Option<String>,
    pub(crate) signature: Option<String>,
    /// All that stands behind the question mark.
    pub(crate) query: String,
}

impl fmt::Debug for Shown {
    /// Tokens are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

/// The keys to a right: one of these tokens, a signature by this secret, or a JSON Web Token by one of these keys. Without
/// all three, everyone is let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lock<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) tokens: &'a [String],
    pub(crate) secret: Option<&'a str>,
    pub(crate) keys: Option<&'a KeySet>,
}

impl Lock<'_> {
    /// Whether a peer may have the stream of this name, or the list of all when there is no name.
    pub(crate) fn opens(&self, name: Option<&Name>, shown: &Shown) -> bool {
        if self.tokens.is_empty() && self.secret.is_none() && self.keys.is_none() {
            return true;
        }
        let granted = |token: &String| self.keys.is_some_and(|keys| keys.opens(token, self.purpose, name));
        shown.tokens.iter().any(|token| knows(self.tokens, token) || granted(token))
            || name.is_some_and(|name| self.is_signed(name, shown).unwrap_or(false))
    }

    /// Whether a signature is right and in its time; `None` when there is none.
    fn is_signed(&self, name: &Name, shown: &Shown) -> Option<bool> {
        let expires: u64 = shown.expires.as_ref()?.parse().ok()?;
        let signature = bytes(shown.signature.as_ref()?)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let right = mac(self.secret?, self.purpose, &name.to_string(), expires).verify_slice(&signature).is_ok();
        Some(right && now < expires)
    }
}

/// Whether a token is one of these.
pub(crate) fn knows(tokens: &[String], token: &str) -> bool {
    tokens.iter().any(|wanted| same(wanted.as_bytes(), token.as_bytes()))
}

/// Compares in a time that depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A token that cannot be guessed: 128 random bits.
///
/// # Errors
/// The system has no random bytes.
pub(crate) fn make() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(hexadecimal(&bytes))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text; `None` when it is not one.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let tokens = ["right-token".to_owned()];
        let lock = Lock { purpose: Purpose::Play, tokens: &tokens, secret: None, keys: None };
        let opens = |shown: &[&str]| {
            let tokens = shown.iter().map(|token| (*token).to_owned()).collect();
            lock.opens(None, &Shown { tokens, ..Shown::default() })
        };
        assert!(Lock { tokens: &[], ..lock }.opens(None, &Shown::default()));
        assert!(opens(&["wrong", "right-token"]));
        for wrong in ["", "right-toke", "right-token2", "Right-token"] {
            assert!(!opens(&[wrong]), "{wrong}");
        }
        assert!(!opens(&[]));
        assert_ne!(make().unwrap(), make().unwrap());
    }

    #[test]
    fn signatures_are_for_one_name_one_purpose_and_a_time() {
        let secret = "a secret of this relay";
        let lock = Lock { purpose: Purpose::Publish, tokens: &[], secret: Some(secret), keys: None };
        let opens = |query: &str, name: &str| {
            let pairs = |at| query.split('&').nth(at).and_then(|pair: &str| pair.split_once('='));
            let part = |at| pairs(at).map(|(_, value)| value.to_owned());
            let shown = Shown { expires: part(0), signature: part(1), ..Shown::default() };
            lock.opens(Name::of("live", name).as_ref(), &shown)
        };
        let (later, earlier) = (u64::from(u32::MAX), 1_700_000_000);
        let good = sign(secret, Purpose::Publish, "live/show", later);
        assert!(opens(&good, "show"));
        assert!(!opens(&good, "other") && !opens("", "show"));
        assert!(!opens(&good.replace("e=42", "e=43"), "show"), "another time");
        for (secret, purpose, expires) in [
            (secret, Purpose::Play, later),
            (secret, Purpose::Publish, earlier),
            ("another secret, as long", Purpose::Publish, later),
        ] {
            assert!(!opens(&sign(secret, purpose, "live/show", expires), "show"), "{purpose:?} {expires}");
        }
        for broken in ["e=4294967295&s=", "e=4294967295&s=0", "e=4294967295&s=zz", "e=x&s=00", "e=4294967295"] {
            assert!(!opens(broken, "show"), "{broken}");
        }
        // The list of all streams is no name.
        assert!(!lock.opens(None, &Shown::default()));
    }

    #[test]
    fn a_signature_is_what_openssl_makes_of_the_same() {
        // printf 'play|live/show|1800000000' | openssl dgst -sha256 -hmac key
        let expected = "cffba3335d7e68ed6a68a43789028c84f73be6f0bee22a6f686c7a2eab88dfd8";
        assert_eq!(sign("key", Purpose::Play, "live/show", 1_800_000_000), format!("e=1800000000&s={expected}"));
    }
}
