//! Tokens of publishers.

/// Whether one of the tokens a peer shows is one of those that are asked for; without any, everyone is let in.
pub(crate) fn allows<'a>(wanted: &[String], mut shown: impl Iterator<Item = &'a str>) -> bool {
    wanted.is_empty() || shown.any(|token| wanted.iter().any(|wanted| same(wanted.as_bytes(), token.as_bytes())))
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
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let wanted = ["right-token".to_owned()];
        assert!(allows(&[], [].into_iter()));
        assert!(allows(&wanted, ["wrong", "right-token"].into_iter()));
        for wrong in ["", "right-toke", "right-token2", "Right-token"] {
            assert!(!allows(&wanted, [wrong].into_iter()), "{wrong}");
        }
        assert!(!allows(&wanted, [].into_iter()));
        assert_ne!(make().unwrap(), make().unwrap());
    }
}
