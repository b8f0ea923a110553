//! Patterns of names, in which `*` stands for any letters.

/// Whether a name is one of those that a pattern describes.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A text with `{app}` and `{stream}` of a name put in, each as `safe` writes it.
pub(crate) fn filled(template: &str, name: &str, safe: impl Fn(&str) -> String) -> String {
    let (app, stream) = name.rsplit_once('/').unwrap_or(("", name));
    template.replace("{app}", &safe(app)).replace("{stream}", &safe(stream))
}

/// A text as a part of a URL or a path: letters, digits, `-`, `_`, and dots within; anything else as `%XX`.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => safe.push(byte.into()),
            b'.' if at > 0 => safe.push('.'),
            _ => safe += &format!("%{byte:02X}"),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, expected) in [
            ("live/show", "live/show", true),
            ("live/show", "live/show2", false),
            ("live/*", "live/show", true),
            ("live/*", "other/show", false),
            ("*", "a/b", true),
            ("*/cam*", "a/b/cam1", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1b2", false),
            ("ab*ba", "aba", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn names_stay_in_their_place() {
        assert_eq!(escaped("a b/../.c"), "a%20b%2F..%2F.c");
        assert_eq!(escaped(".."), "%2E.");
        assert_eq!(filled("rec/{app}/{stream}.flv", "live/inst/k", escaped), "rec/live%2Finst/k.flv");
        assert_eq!(filled("rec/{stream}.flv", "{stream}/{app}", str::to_owned), "rec/{app}.flv");
    }
}
