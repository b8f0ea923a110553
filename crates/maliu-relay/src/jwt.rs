//! JSON Web Tokens: a key set from a file, and tokens that it has signed (RFC 7515, 7517, 7519; RFC 8037 for Ed25519).

use std::{fmt, fs, io, path::Path, time::SystemTime, time::UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{hmac, signature};
use serde::Deserialize;

use crate::{access::Purpose, name::Name, pattern};

/// Most bytes of a token, and of a file of keys.
const MAX_TOKEN: usize = 8 << 10;
const MAX_FILE: usize = 1 << 20;

/// Fewest bytes of a secret that is shared.
const MIN_SECRET: usize = 16;

/// Seconds by which clocks may differ.
const LEEWAY: f64 = 5.0;

/// Keys of which one has signed a token that lets its bearer in.
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

/// A key, and the only algorithm that it is used for: a token cannot choose another one.
struct Key {
    id: Option<String>,
    algorithm: &'static str,
    material: Material,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

enum Material {
    Shared(hmac::Key),
    Public(signature::UnparsedPublicKey<Vec<u8>>),
}

/// A key set as it is written (RFC 7517 §5).
#[derive(Deserialize)]
struct Written {
    keys: Vec<WrittenKey>,
}

#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    k: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// The claims that count here: names of streams, in patterns, and times.
#[derive(Deserialize)]
struct Claims {
    #[serde(default, rename = "pub")]
    publish: Patterns,
    #[serde(default, rename = "sub")]
    play: Patterns,
    exp: f64,
    nbf: Option<f64>,
}

/// One pattern, or several.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Patterns {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

impl Patterns {
    fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(all) => all,
        }
    }
}

impl KeySet {
    /// Reads a file.
    ///
    /// # Errors
    /// Those of the system; `InvalidData` when it is not a key set, or holds a key that cannot be used. The path is in
    /// the text.
    pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let text = fs::read(path).map_err(named)?;
        Self::parse(&text).map_err(|why| named(io::Error::new(io::ErrorKind::InvalidData, why)))
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        if text.len() > MAX_FILE {
            return Err(format!("{} bytes, expected at most {MAX_FILE}", text.len()));
        }
        let written: Written = serde_json::from_slice(text).map_err(|error| format!("no key set: {error}"))?;
        let keys = written.keys.into_iter().enumerate();
        let keys = keys.map(|(at, key)| Key::of(key).map_err(|why| format!("key {}: {why}", at + 1)));
        let keys: Vec<Key> = keys.collect::<Result<_, String>>()?;
        if keys.is_empty() { Err("the key set has no key".to_owned()) } else { Ok(Self(keys)) }
    }

    /// Whether a token lets its bearer have a stream, or see the list of all when there is no name: that takes the
    /// pattern `*`.
    pub(crate) fn opens(&self, token: &str, purpose: Purpose, name: Option<&Name>) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let Some(claims) = self.claims(token) else { return false };
        if claims.exp <= now - LEEWAY || claims.nbf.is_some_and(|begins| begins > now + LEEWAY) {
            return false;
        }
        let patterns = if purpose == Purpose::Publish { &claims.publish } else { &claims.play };
        match name.map(ToString::to_string) {
            Some(name) => patterns.all().iter().any(|pattern| pattern::matches(pattern, &name)),
            None => patterns.all().iter().any(|pattern| pattern == "*"),
        }
    }

    /// The claims of a token whose signature is right.
    fn claims(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&bytes(header)?).ok()?;
        // An extension that must be understood, and is not (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return None;
        }
        let signature = bytes(signature)?;
        let fits = |key: &&Key| {
            key.algorithm == header.alg && (key.id.is_none() || header.kid.is_none() || key.id == header.kid)
        };
        let right = self.0.iter().filter(fits).any(|key| key.verifies(signed.as_bytes(), &signature));
        right.then(|| serde_json::from_slice(&bytes(claims)?).ok())?
    }
}

impl Key {
    fn of(written: WrittenKey) -> Result<Self, String> {
        let part = |name: &str, value: &Option<String>| {
            let text = value.as_deref().ok_or(format!("{name} is missing"))?;
            bytes(text).ok_or(format!("{name} is not base64url"))
        };
        let WrittenKey { kty, kid, alg, crv, k, x, y } = &written;
        let (algorithm, material) = match (kty.as_str(), crv.as_deref()) {
            ("oct", _) => {
                let secret = part("k", k)?;
                if secret.len() < MIN_SECRET {
                    return Err(format!("a secret of {} bytes, expected at least {MIN_SECRET}", secret.len()));
                }
                let (name, by) = match alg.as_deref().unwrap_or("HS256") {
                    "HS256" => ("HS256", hmac::HMAC_SHA256),
                    "HS384" => ("HS384", hmac::HMAC_SHA384),
                    "HS512" => ("HS512", hmac::HMAC_SHA512),
                    other => return Err(format!("algorithm {other}, expected HS256, HS384 or HS512")),
                };
                (name, Material::Shared(hmac::Key::new(by, &secret)))
            }
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let point = [&[4][..], &part("x", x)?, &part("y", y)?].concat();
                let (name, by, size): (_, &'static dyn signature::VerificationAlgorithm, usize) = match curve {
                    "P-256" => ("ES256", &signature::ECDSA_P256_SHA256_FIXED, 65),
                    _ => ("ES384", &signature::ECDSA_P384_SHA384_FIXED, 97),
                };
                if point.len() != size {
                    return Err(format!("x and y are not a point of {curve}"));
                }
                (name, Material::Public(signature::UnparsedPublicKey::new(by, point)))
            }
            ("OKP", Some("Ed25519")) => {
                let key = part("x", x)?;
                if key.len() != signature::ED25519_PUBLIC_KEY_LEN {
                    return Err("x is not a key of Ed25519".to_owned());
                }
                ("EdDSA", Material::Public(signature::UnparsedPublicKey::new(&signature::ED25519, key)))
            }
            (kind, curve) => {
                let curve = curve.map(|curve| format!(" {curve}")).unwrap_or_default();
                return Err(format!("{kind}{curve}, expected oct, EC P-256, EC P-384 or OKP Ed25519"));
            }
        };
        match alg {
            Some(alg) if alg != algorithm => Err(format!("algorithm {alg}, expected {algorithm}")),
            _ => Ok(Self { id: kid.clone(), algorithm, material }),
        }
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Shared(key) => hmac::verify(key, signed, signature).is_ok(),
            Material::Public(key) => key.verify(signed, signature).is_ok(),
        }
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 §A.1: the key of the example, in a set.
    const RFC: &str = r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;

    fn encoded(text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    fn signed(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(sign(text.as_bytes())))
    }

    fn by_secret(secret: &'static [u8]) -> impl Fn(&[u8]) -> Vec<u8> {
        move |text| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text).as_ref().to_vec()
    }

    fn name(text: &str) -> Option<Name> {
        let (app, stream) = text.split_once('/').unwrap();
        Name::of(app, stream)
    }

    #[test]
    fn the_signature_of_the_standard_is_right_and_none_of_its_neighbours() {
        let keys = KeySet::parse(RFC.as_bytes()).unwrap();
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                     Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let claims = keys.claims(token).unwrap();
        assert_eq!(claims.exp, 1_300_819_380.0);
        assert!(!keys.opens(token, Purpose::Play, None), "it ended in 2011");
        assert!(keys.claims(&token.replace("dBjf", "dBjg")).is_none());
        assert!(keys.claims(&token.replace("eyJpc3M", "eyJpc3N")).is_none());
    }

    #[test]
    fn claims_are_for_streams_a_purpose_and_a_time() {
        let secret = b"0123456789abcdef0123456789abcdef";
        let set = format!(r#"{{"keys":[{{"kty":"oct","kid":"a","k":"{}"}}]}}"#, BASE64_URL_SAFE_NO_PAD.encode(secret));
        let keys = KeySet::parse(set.as_bytes()).unwrap();
        let token = |header: &str, claims: &str| signed(header, claims, by_secret(secret));
        let header = r#"{"alg":"HS256","kid":"a"}"#;
        let good = token(header, r#"{"exp":4294967295,"pub":"live/show","sub":["live/*","cam/1"]}"#);
        for (purpose, stream, expected) in [
            (Purpose::Publish, "live/show", true),
            (Purpose::Publish, "live/other", false),
            (Purpose::Play, "live/other", true),
            (Purpose::Play, "cam/1", true),
            (Purpose::Play, "cam/2", false),
        ] {
            assert_eq!(keys.opens(&good, purpose, name(stream).as_ref()), expected, "{purpose:?} {stream}");
        }
        assert!(!keys.opens(&good, Purpose::Play, None), "the list of all takes the pattern of all");
        let show = name("live/show");
        let opens = |token: &str| keys.opens(token, Purpose::Play, show.as_ref());
        assert!(keys.opens(&token(header, r#"{"exp":4294967295,"sub":"*"}"#), Purpose::Play, None));
        for (header, claims) in [
            (header, r#"{"sub":"*"}"#),
            (header, r#"{"exp":1700000000,"sub":"*"}"#),
            (header, r#"{"exp":4294967295,"nbf":4294967000,"sub":"*"}"#),
            (r#"{"alg":"HS256","kid":"b"}"#, r#"{"exp":4294967295,"sub":"*"}"#),
            (r#"{"alg":"HS512"}"#, r#"{"exp":4294967295,"sub":"*"}"#),
            (r#"{"alg":"none"}"#, r#"{"exp":4294967295,"sub":"*"}"#),
            (r#"{"alg":"HS256","crit":["x"]}"#, r#"{"exp":4294967295,"sub":"*"}"#),
        ] {
            assert!(!opens(&token(header, claims)), "{header} {claims}");
        }
        for broken in
            ["", ".", "..", "a.b.c", &good[..good.len() - 1], &format!("{good}.x"), &"x".repeat(MAX_TOKEN + 1)]
        {
            assert!(!opens(broken), "{broken:.40}");
        }
    }

    #[test]
    fn public_keys_verify_and_cannot_be_taken_for_secrets() {
        use ring::{rand::SystemRandom, signature::KeyPair};
        let random = SystemRandom::new();
        let document = signature::Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ed = signature::Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let by = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = signature::EcdsaKeyPair::generate_pkcs8(by, &random).unwrap();
        let ec = signature::EcdsaKeyPair::from_pkcs8(by, document.as_ref(), &random).unwrap();
        let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{}"}},{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}]}}"#,
            part(ed.public_key().as_ref()),
            part(x),
            part(y)
        );
        let keys = KeySet::parse(set.as_bytes()).unwrap();
        let claims = r#"{"exp":4294967295,"sub":"*"}"#;
        let ed_token = signed(r#"{"alg":"EdDSA"}"#, claims, |text| ed.sign(text).as_ref().to_vec());
        let ec_token = signed(r#"{"alg":"ES256"}"#, claims, |text| ec.sign(&random, text).unwrap().as_ref().to_vec());
        assert!(keys.opens(&ed_token, Purpose::Play, None) && keys.opens(&ec_token, Purpose::Play, None));
        // The public key as a shared secret: the classic forgery.
        let public = ed.public_key().as_ref().to_vec();
        let forged = signed(r#"{"alg":"HS256"}"#, claims, |text| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &public), text).as_ref().to_vec()
        });
        assert!(!keys.opens(&forged, Purpose::Play, None));
    }

    #[test]
    fn sets_that_cannot_be_used_are_refused_with_their_reason() {
        for (text, why) in [
            ("", "no key set"),
            (r#"{"keys":[]}"#, "has no key"),
            (r#"{"keys":[{"kty":"RSA","n":"x","e":"AQAB"}]}"#, "key 1: RSA, expected oct"),
            (r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#, "a secret of 5 bytes"),
            (r#"{"keys":[{"kty":"oct"}]}"#, "k is missing"),
            (r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]}"#, "not a point"),
            (r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"%%"}]}"#, "x is not base64url"),
        ] {
            let error = KeySet::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
