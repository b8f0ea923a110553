//! A checksum over the bytes that pass, from where it was started (IO-28).

/// Folds bytes into an accumulator.
pub type Checksum = fn(u32, &[u8]) -> u32;

/// A running checksum and the buffer index from which bytes are still to be folded in.
#[derive(Debug, Default)]
pub(super) struct Running {
    active: Option<(Checksum, u32)>,
    from: usize,
}

impl Running {
    pub(super) fn start(&mut self, function: Checksum, seed: u32, at: usize) {
        (self.active, self.from) = (Some((function, seed)), at);
    }

    pub(super) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Folds in the bytes up to `to`; the next ones start at `next`.
    pub(super) fn fold(&mut self, buffer: &[u8], to: usize, next: usize) {
        if let Some((function, value)) = &mut self.active {
            *value = function(*value, buffer.get(self.from..to).unwrap_or_default());
        }
        self.from = next;
    }

    /// The next bytes start at `next`; those before are not counted.
    pub(super) fn restart(&mut self, next: usize) {
        self.from = next;
    }

    pub(super) fn finish(&mut self, buffer: &[u8], to: usize) -> u32 {
        self.fold(buffer, to, to);
        self.active.take().map_or(0, |(_, value)| value)
    }
}
