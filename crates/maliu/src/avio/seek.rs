//! Seeking of the reading context: inside the buffer, forward by reading, or through the callback (IO-11…IO-15).

use super::{BufferedReader, Code, Whence};

/// How far ahead of the buffer reading on is preferred to seeking (IO-13), in bytes.
const SHORT_SEEK: i64 = 32768;

/// Abilities of a seek.
enum Way {
    Inside,
    Forward,
    StepBack,
    Callback,
}

impl BufferedReader {
    /// Goes to `offset`, counted from `whence`, and returns the new offset.
    ///
    /// # Errors
    /// [`Code::EINVAL`] from the end or to before the start, [`Code::EOF`] when reading on met the end,
    /// [`Code::EPIPE`] without a seek callback, or the callback's.
    pub fn seek(&mut self, offset: i64, whence: Whence) -> Result<i64, Code> {
        let target = match whence {
            Whence::Size => return self.seek.as_mut().map_or(Err(Code::ENOSYS), |seek| seek(offset, whence)),
            Whence::Cur if offset == 0 => return Ok(self.tell()),
            _ => whence.target(offset, self.tell())?,
        };
        match self.way(target) {
            Way::Inside => self.cur = usize::try_from(target - self.start()).unwrap_or(self.cur),
            Way::Forward => self.read_on(target)?,
            Way::StepBack => return self.step_back(target),
            Way::Callback => {
                let seek = self.seek.as_mut().ok_or(Code::EPIPE)?;
                seek(target, Whence::Set)?;
                self.stand_at(target);
            }
        }
        self.eof = false;
        Ok(target)
    }

    /// Absolute offset of the first buffered byte.
    fn start(&self) -> i64 {
        self.pos.saturating_sub(self.end as i64)
    }

    fn way(&self, target: i64) -> Way {
        let (ahead, cached) = (target.saturating_sub(self.start()), self.end as i64);
        let past_buffer = self.direct && self.seek.is_some();
        if !past_buffer && (0..=cached).contains(&ahead) {
            Way::Inside
        } else if !past_buffer && ahead >= 0 && (!self.seekable || ahead <= cached + SHORT_SEEK) {
            Way::Forward
        } else if ahead < 0 && -ahead < cached / 2 && self.seek.is_some() && target > 0 {
            Way::StepBack
        } else {
            Way::Callback
        }
    }

    fn read_on(&mut self, target: i64) -> Result<(), Code> {
        while self.pos < target && !self.eof {
            self.fill();
        }
        if self.eof {
            return Err(Code::EOF);
        }
        let past = usize::try_from(self.pos - target).unwrap_or(0);
        self.cur = self.end.saturating_sub(past);
        Ok(())
    }

    /// Seeks to half a buffer before the buffer, so that further small steps back need no seek.
    fn step_back(&mut self, target: i64) -> Result<i64, Code> {
        let from = self.start().saturating_sub(self.end as i64 / 2).max(0);
        if let Some(seek) = &mut self.seek {
            seek(from, Whence::Set)?;
        }
        self.stand_at(from);
        self.eof = false;
        self.fill();
        self.seek(target, Whence::Set)
    }

    fn stand_at(&mut self, at: i64) {
        (self.cur, self.end, self.pos) = (0, 0, at);
    }
}
