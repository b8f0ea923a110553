//! LZO1X: literals and matches of bytes that came before, as old Matroska files compress their frames
//! (<https://docs.kernel.org/staging/lzo.html>).

use alloc::vec::Vec;

/// The bytes of a whole LZO1X stream; `None` where it is damaged, cut, or longer than `limit`.
pub fn decompress(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut stream = Stream { bytes, at: 0, out: Vec::new(), limit };
    let first = *bytes.first()?;
    // Literals that were copied last, 4 for a longer run: they change the meaning of the smallest instructions.
    let mut state = 0;
    if first > 17 {
        stream.at = 1;
        let count = usize::from(first) - 17;
        stream.literals(count)?;
        state = count.min(4);
    }
    loop {
        let code = stream.byte()?;
        let (length, distance, literals) = match code {
            0..=15 if state == 0 => {
                let count = if code == 0 { stream.extended(15)? } else { code };
                stream.literals(count.checked_add(3)?)?;
                state = 4;
                continue;
            }
            0..=15 => {
                let (length, base) = if state == 4 { (3, 2049) } else { (2, 1) };
                let high = stream.byte()?;
                (length, (high << 2) + (code >> 2 & 3) + base, code & 3)
            }
            16..=31 => {
                let length = stream.length(code, 7)?;
                let pair = stream.pair()?;
                let distance = 16_384 + ((code & 8) << 11) + (pair >> 2);
                if distance == 16_384 {
                    return Some(stream.out);
                }
                (length, distance, pair & 3)
            }
            32..=63 => {
                let length = stream.length(code, 31)?;
                let pair = stream.pair()?;
                (length, (pair >> 2) + 1, pair & 3)
            }
            _ => {
                let length = if code < 128 { 3 + (code >> 5 & 1) } else { 5 + (code >> 5 & 3) };
                let high = stream.byte()?;
                (length, (high << 3) + (code >> 2 & 7) + 1, code & 3)
            }
        };
        stream.repeat(length, distance)?;
        stream.literals(literals)?;
        state = literals;
    }
}

struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    limit: usize,
}

impl Stream<'_> {
    fn byte(&mut self) -> Option<usize> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte.into())
    }

    /// Two bytes, the low one first.
    fn pair(&mut self) -> Option<usize> {
        Some(self.byte()? | self.byte()? << 8)
    }

    /// `base`, 255 for each zero, and the byte behind them.
    fn extended(&mut self, base: usize) -> Option<usize> {
        let mut sum = base;
        loop {
            match self.byte()? {
                0 => sum = sum.checked_add(255)?,
                last => return sum.checked_add(last),
            }
        }
    }

    /// The length of a match: the low bits of its code, or more bytes where they are 0.
    fn length(&mut self, code: usize, mask: usize) -> Option<usize> {
        let length = match code & mask {
            0 => self.extended(mask)?,
            length => length,
        };
        length.checked_add(2)
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let from = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.room(count)?;
        self.out.extend_from_slice(from);
        self.at += count;
        Some(())
    }

    fn repeat(&mut self, length: usize, distance: usize) -> Option<()> {
        self.room(length)?;
        let start = self.out.len().checked_sub(distance)?;
        for at in start..start + length {
            let byte = *self.out.get(at)?;
            self.out.push(byte);
        }
        Some(())
    }

    fn room(&self, count: usize) -> Option<()> {
        (self.out.len().checked_add(count)? <= self.limit).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_matches_and_the_end() {
        // "abcd", three bytes from a distance of 4, the literal "x", the end.
        let stream = [21, b'a', b'b', b'c', b'd', 0x40 | 3 << 2 | 1, 0, b'x', 17, 0, 0];
        assert_eq!(decompress(&stream, 100).as_deref(), Some(&b"abcdabcx"[..]));
        assert_eq!(decompress(&stream, 7), None);
        for end in 0..stream.len() {
            assert_eq!(decompress(&stream[..end], 100), None, "cut at {end}");
        }
        // A match in front of the start.
        assert_eq!(decompress(&[18, b'a', 0x40 | 7 << 2, 9, 17, 0, 0], 100), None);
        // A run of 15 + 2 + 3 literals.
        let long = [&[0, 2][..], &[7; 20], &[17, 0, 0]].concat();
        assert_eq!(decompress(&long, 100), Some(alloc::vec![7; 20]));
    }
}
