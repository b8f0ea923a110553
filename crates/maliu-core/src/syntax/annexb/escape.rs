//! Emulation prevention: the 03 that keeps 00 00 00, 00 00 01, 00 00 02 and 00 00 03 out of a NAL unit, taken out and
//! put in (ISO/IEC 14496-10 §7.4.1.1).

use alloc::{borrow::Cow, vec::Vec};

use memchr::memmem;

/// The bytes of `nal` without its emulation prevention bytes; borrowed when it has none.
pub fn unescape(nal: &[u8]) -> Cow<'_, [u8]> {
    if nal.len() <= SHORT && !has_escape(nal) {
        return Cow::Borrowed(nal);
    }
    let finder = memmem::Finder::new(&[0, 0, 3]);
    let Some(mut found) = finder.find(nal) else { return Cow::Borrowed(nal) };
    let mut out = Vec::with_capacity(nal.len());
    let mut rest = nal;
    loop {
        // The two zeros stay, the 03 goes; the search goes on behind it, as its zeros cannot count twice.
        let (kept, after) = rest.split_at(found.saturating_add(2).min(rest.len()));
        out.extend_from_slice(kept);
        rest = after.get(1..).unwrap_or_default();
        match finder.find(rest) {
            Some(next) => found = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Bytes up to which looking for the 03 costs less than preparing a search for the three bytes.
const SHORT: usize = 256;

fn has_escape(nal: &[u8]) -> bool {
    memchr::memchr_iter(3, nal).any(|at| nal.get(..at).is_some_and(|before| before.ends_with(&[0, 0])))
}

/// As [`unescape`], of no more than the first `most` bytes: enough for headers, whatever the size of the unit.
pub fn unescape_head(nal: &[u8], most: usize) -> Cow<'_, [u8]> {
    unescape(nal.get(..most).unwrap_or(nal))
}

/// `raw` with emulation prevention bytes, as it stands in a NAL unit; borrowed when it needs none.
pub fn escape(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    let (mut zeros, mut copied) = (0, 0);
    for (at, byte) in raw.iter().enumerate() {
        if zeros >= 2 && *byte <= 3 {
            let out = out.get_or_insert_with(|| Vec::with_capacity(raw.len() + raw.len() / 64 + 2));
            out.extend_from_slice(raw.get(copied..at).unwrap_or_default());
            out.push(3);
            (zeros, copied) = (0, at);
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    // A unit must not end in zeros: cabac_zero_words end in 00 00 03 (§7.4.1).
    let ends_in_zeros = zeros >= 2;
    if out.is_none() && !ends_in_zeros {
        return Cow::Borrowed(raw);
    }
    let mut out = out.unwrap_or_default();
    out.extend_from_slice(raw.get(copied..).unwrap_or_default());
    if ends_in_zeros {
        out.push(3);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_units_are_not_copied() {
        let nal = [0x65, 0, 1, 0, 0, 4, 0, 9];
        assert!(matches!(unescape(&nal), Cow::Borrowed(_)));
        assert!(matches!(escape(&nal), Cow::Borrowed(_)));
    }

    #[test]
    fn both_ways_follow_the_standard() {
        for (raw, nal) in [
            (&[1u8, 0, 0][..], &[1u8, 0, 0, 3][..]),
            (&[0, 0, 1], &[0, 0, 3, 1]),
            (&[0, 0, 2, 0, 0, 3], &[0, 0, 3, 2, 0, 0, 3, 3]),
            (&[0, 0, 0, 0, 0, 0, 1], &[0, 0, 3, 0, 0, 3, 0, 0, 3, 1]),
            (&[5, 0, 0, 4], &[5, 0, 0, 4]),
        ] {
            assert_eq!(&*escape(raw), nal, "{raw:?}");
            assert_eq!(&*unescape(nal), raw, "{nal:?}");
        }
    }

    #[test]
    fn head_is_the_start_of_the_whole() {
        assert_eq!(&*unescape_head(&[0, 0, 3, 1, 9, 9], 4), [0, 0, 1]);
    }
}
