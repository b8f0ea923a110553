//! The three headers of Vorbis and Theora in one configuration, behind their number and lengths ("Xiph lacing", RFC 9559
//! §5.1.4.1.28 and §10.3.3).
//!
//! ```text
//!   2 │ length of the first: 255 255 … rest │ length of the second │ first │ second │ third
//! ```

use alloc::vec::Vec;

/// The configuration that holds these headers.
pub fn lace(headers: [&[u8]; 3]) -> Vec<u8> {
    let [first, second, third] = headers;
    let mut out = Vec::with_capacity(3 + headers.iter().map(|header| header.len() + header.len() / 255).sum::<usize>());
    out.push(2);
    for header in [first, second] {
        out.extend(core::iter::repeat_n(255, header.len() / 255));
        out.push((header.len() % 255) as u8);
    }
    [first, second, third].iter().for_each(|header| out.extend_from_slice(header));
    out
}

/// The headers in a configuration: laced, or each behind its length in 16 bits, as the reference keeps Theora's.
pub fn headers(config: &[u8]) -> Option<[&[u8]; 3]> {
    laced(config).or_else(|| counted(config))
}

fn laced(config: &[u8]) -> Option<[&[u8]; 3]> {
    let mut rest = config.strip_prefix(&[2])?;
    let mut length = || {
        let full = rest.iter().take_while(|byte| **byte == 255).count();
        let last = usize::from(*rest.get(full)?);
        rest = rest.get(full + 1..)?;
        Some(full * 255 + last)
    };
    let (first, second) = (length()?, length()?);
    let (first, rest) = rest.split_at_checked(first)?;
    let (second, third) = rest.split_at_checked(second)?;
    (!third.is_empty()).then_some([first, second, third])
}

fn counted(config: &[u8]) -> Option<[&[u8]; 3]> {
    let next = |bytes: &'_ [u8]| -> Option<usize> { Some(usize::from(u16::from_be_bytes(*bytes.first_chunk()?))) };
    let first = config.get(2..2 + next(config)?)?;
    let rest = config.get(2 + first.len()..)?;
    let second = rest.get(2..2 + next(rest)?)?;
    let rest = rest.get(2 + second.len()..)?;
    let third = rest.get(2..2 + next(rest)?)?;
    Some([first, second, third])
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn headers_come_back_from_both_forms() {
        let [a, b, c] = [vec![1u8; 30], vec![3; 255], vec![5; 1000]];
        let config = lace([&a, &b, &c]);
        assert_eq!(headers(&config), Some([&a[..], &b, &c]));
        let counted: Vec<u8> = [&a, &b, &c]
            .iter()
            .flat_map(|header| [&(header.len() as u16).to_be_bytes()[..], header].concat())
            .collect();
        assert_eq!(headers(&counted), Some([&a[..], &b, &c]));
        assert!((0..config.len() - 1000).all(|cut| headers(&config[..cut]).is_none()));
    }
}
