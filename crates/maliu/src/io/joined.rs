//! Several sources read as one, each behind the one before.

use std::{fmt, io};

use super::{BLOCK_SIZE, Source, is_not_yet, patiently};

/// Most sources that are joined.
pub const MAX_JOINED: usize = 1 << 16;

/// Sources of known sizes in a row, such as an initialization segment and media segments.
pub struct Joined {
    /// Each with the offset at which it begins.
    parts: Vec<(u64, Box<dyn Source + Send>)>,
    size: u64,
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").field("parts", &self.parts.len()).field("size", &self.size).finish()
    }
}

impl Joined {
    /// Joins sources in this order.
    ///
    /// # Errors
    /// `Unsupported` for a source that cannot be sought, `InvalidInput` beyond [`MAX_JOINED`].
    pub fn new(sources: impl IntoIterator<Item = Box<dyn Source + Send>>) -> io::Result<Self> {
        let mut joined = Self { parts: Vec::new(), size: 0 };
        for mut source in sources {
            let size = source.size().filter(|_| source.seekable());
            let size = size.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "only files can be joined"))?;
            if joined.parts.len() >= MAX_JOINED {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("more than {MAX_JOINED} files")));
            }
            joined.parts.push((joined.size, source));
            joined.size = joined.size.saturating_add(size);
        }
        Ok(joined)
    }
}

impl Source for Joined {
    fn seekable(&self) -> bool {
        true
    }

    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut part = self.parts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        while let Some((start, source)) = self.parts.get_mut(part) {
            let got = patiently(|| source.read_at(at.saturating_sub(*start), buf), is_not_yet)?;
            if got > 0 || buf.is_empty() {
                return Ok(got);
            }
            part += 1;
        }
        Ok(0)
    }

    fn size(&mut self) -> Option<u64> {
        Some(self.size)
    }

    fn block_size(&self) -> usize {
        self.parts.first().map_or(BLOCK_SIZE, |(_, source)| source.block_size())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn parts_are_read_as_one() {
        let part = |bytes: &'static [u8]| Box::new(Bytes::from_static(bytes)) as Box<dyn Source + Send>;
        let mut joined = Joined::new([part(b"abc"), part(b""), part(b"de"), part(b"f")]).unwrap();
        assert_eq!(joined.size(), Some(6));
        for at in 0..8 {
            let (mut read, mut buf) = (Vec::new(), [0; 2]);
            while let got @ 1.. = joined.read_at(at + read.len() as u64, &mut buf).unwrap() {
                read.extend_from_slice(&buf[..got]);
            }
            assert_eq!(read, b"abcdef"[usize::try_from(at).unwrap().min(6)..]);
        }
    }
}
