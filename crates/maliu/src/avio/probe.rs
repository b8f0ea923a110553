//! Probing through the buffer, and giving back what was read for it (IO-37…IO-42).

use super::{BufferedReader, Code};

/// The smallest number of bytes that is looked at (IO-37).
const PROBE_MIN: usize = 2048;

/// Bytes that are looked at when nothing else is said.
const PROBE_MAX: usize = 1 << 20;

/// A score must exceed this while more could be looked at (IO-38).
const RETRY: u32 = 25;

/// Zero bytes that scorers may look at behind the data.
const PADDING: usize = 32;

/// Result of probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed<T> {
    /// The format.
    pub format: T,
    /// Its score, 1 to 100.
    pub score: u32,
}

impl BufferedReader {
    /// Looks at growing beginnings of the input, up to `max` bytes (0: 1 MiB), until `score` is sure of a format. Bytes
    /// that were read are given back: the next read starts where this call found the reader, even on a pipe.
    ///
    /// `score` gets the bytes so far and returns the best format, scored 0 to 100; `None` or 0 is "not yet". The second
    /// argument holds the same bytes with 32 zero bytes behind them.
    ///
    /// # Errors
    /// [`Code::EINVAL`] when `max` is below 2048, [`Code::INVALID_DATA`] when nothing was found, or the callback's.
    pub fn probe<T>(
        &mut self,
        max: usize,
        mut score: impl FnMut(&[u8], &[u8]) -> Option<Probed<T>>,
    ) -> Result<Probed<T>, Code> {
        let max = if max == 0 { PROBE_MAX } else { max };
        if max < PROBE_MIN {
            return Err(Code::EINVAL);
        }
        let (mut seen, mut size) = (Vec::new(), PROBE_MIN);
        let found = loop {
            let mut enough = if size < max { RETRY } else { 0 };
            let (had, mut ended) = (seen.len(), false);
            seen.resize(size, 0);
            match self.read(seen.get_mut(had..).unwrap_or_default()) {
                Ok(got) => seen.truncate(had + got),
                Err(code) => {
                    seen.truncate(had);
                    if code != Code::EOF {
                        break Err(code);
                    }
                    (enough, ended) = (0, true);
                }
            }
            seen.resize(seen.len() + PADDING, 0);
            let len = seen.len() - PADDING;
            let best = score(seen.get(..len).unwrap_or_default(), &seen);
            seen.truncate(len);
            match best {
                Some(best) if best.score > enough => break Ok(best),
                _ if size >= max || ended => break Err(Code::INVALID_DATA),
                _ => size = size.saturating_mul(2).min(max),
            }
        };
        self.give_back(seen)?;
        found
    }

    /// Puts `seen`, the bytes from the start of the input, in front of what is buffered (IO-41).
    fn give_back(&mut self, mut seen: Vec<u8>) -> Result<(), Code> {
        let start = usize::try_from(self.pos).unwrap_or(usize::MAX).saturating_sub(self.end);
        let overlap = seen.len().checked_sub(start).ok_or(Code::EINVAL)?;
        seen.extend_from_slice(self.buffer.get(overlap..self.end).unwrap_or_default());
        (self.cur, self.end, self.pos, self.eof) = (0, seen.len(), seen.len() as i64, false);
        seen.resize(seen.len().max(self.buffer.len()), 0);
        self.buffer = seen;
        Ok(())
    }
}
