//! Credentials: Basic (RFC 7617) and Digest (RFC 7616) of MD5 and SHA-256.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{digest::Kind, syntax::base64};

/// Credentials that a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Digest { realm: String, nonce: String, opaque: Option<String>, kind: Algorithm, auth: bool },
}

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    #[cfg(feature = "crypt")]
    Sha256,
}

impl Challenge {
    /// The strongest of those in lines of WWW-Authenticate that can be answered.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let known: Vec<Self> = lines.filter_map(Self::parse).collect();
        let strength = |challenge: &Self| match challenge {
            Self::Basic => 0,
            Self::Digest { kind: Algorithm::Md5, .. } => 1,
            #[cfg(feature = "crypt")]
            Self::Digest { kind: Algorithm::Sha256, .. } => 2,
        };
        known.into_iter().max_by_key(strength)
    }

    fn parse(line: &str) -> Option<Self> {
        let (scheme, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        if scheme.eq_ignore_ascii_case("Basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let fields = fields(rest);
        let field = |name: &str| {
            fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        let kind = match field("algorithm").as_deref() {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            #[cfg(feature = "crypt")]
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let auth = field("qop").is_some_and(|list| list.split(',').any(|word| word.trim() == "auth"));
        Some(Self::Digest { realm: field("realm")?, nonce: field("nonce")?, opaque: field("opaque"), kind, auth })
    }

    /// The value of an Authorization line for a request, the `count`th with this challenge.
    pub(super) fn answer(&self, (user, password): (&str, &str), method: &str, url: &str, count: u32) -> String {
        let Self::Digest { realm, nonce, opaque, kind, auth } = self else {
            return format!("Basic {}", base64::encode(format!("{user}:{password}").as_bytes()));
        };
        let hash = |text: String| match kind {
            Algorithm::Md5 => Kind::Md5.of(text.as_bytes()),
            #[cfg(feature = "crypt")]
            Algorithm::Sha256 => Kind::Sha256.of(text.as_bytes()),
        };
        let own = hash(format!("{user}:{realm}:{password}"));
        let request = hash(format!("{method}:{url}"));
        let mut line = format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{url}\", ");
        let response = match auth {
            // A nonce of ours guards against chosen texts; it need not be secret.
            true => {
                let client = hash(format!("{nonce}:{count}:{url}"));
                let client = client.get(..16).unwrap_or_default().to_string();
                line += &format!("qop=auth, nc={count:08x}, cnonce=\"{client}\", ");
                hash(format!("{own}:{nonce}:{count:08x}:{client}:auth:{request}"))
            }
            false => hash(format!("{own}:{nonce}:{request}")),
        };
        line += &format!("response=\"{response}\"");
        if let Some(opaque) = opaque {
            line += &format!(", opaque=\"{opaque}\"");
        }
        #[cfg(feature = "crypt")]
        if *kind == Algorithm::Sha256 {
            line += ", algorithm=SHA-256";
        }
        line
    }
}

/// Names and values of a list such as `realm="a, b", qop=auth`.
fn fields(text: &str) -> Vec<(String, String)> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((name, after)) = rest.split_once('=').filter(|_| out.len() < 32) {
        let name = name.trim_matches([',', ' ']).to_string();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        out.push((name, value.trim().to_string()));
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_rfcs() {
        let basic = Challenge::of(["Basic realm=\"a\""].into_iter()).unwrap();
        assert_eq!(basic.answer(("Aladdin", "open sesame"), "GET", "/", 1), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        // RFC 2069's form, as cameras use it.
        let line = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc\"";
        let digest = Challenge::of(["Basic realm=\"x\"", line].into_iter()).unwrap();
        let answer = digest.answer(("Mufasa", "CircleOfLife"), "GET", "/dir/index.html", 1);
        assert!(answer.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{answer}");
        assert!(answer.ends_with("opaque=\"5ccc\""));
        let line = "Digest realm=\"a\", nonce=\"b\", qop=\"auth,auth-int\", algorithm=MD5";
        let answer = Challenge::of([line].into_iter()).unwrap().answer(("u", "p"), "PLAY", "rtsp://h/", 2);
        assert!(answer.contains("qop=auth, nc=00000002, cnonce="), "{answer}");
        assert_eq!(Challenge::of(["Negotiate", "Digest realm=\"a\", nonce=\"b\", algorithm=X"].into_iter()), None);
    }
}
