//! The slot of each PID, found in constant time; memory grows with the PIDs that are used.

use alloc::boxed::Box;

/// PIDs of one page.
const PAGE: usize = 128;

/// Pages of all PIDs, which have 13 bits (ISO/IEC 13818-1 §2.4.3.2).
const PAGES: usize = (1 << 13) / PAGE;

/// Index of a slot by PID.
#[derive(Default)]
pub(super) struct Pids {
    pages: Box<[Option<Box<[u16; PAGE]>>]>,
}

impl Pids {
    /// The slot of a PID, if it has one.
    #[inline]
    pub(super) fn slot(&self, pid: u16) -> Option<usize> {
        let page = self.pages.get(usize::from(pid) / PAGE)?.as_ref()?;
        usize::from(*page.get(usize::from(pid) % PAGE)?).checked_sub(1)
    }

    /// Gives a PID the slot of an index.
    pub(super) fn set(&mut self, pid: u16, slot: usize) {
        if self.pages.is_empty() {
            self.pages = (0..PAGES).map(|_| None).collect();
        }
        let Some(page) = self.pages.get_mut(usize::from(pid) / PAGE) else { return };
        let page = page.get_or_insert_with(|| Box::new([0; PAGE]));
        if let Some(entry) = page.get_mut(usize::from(pid) % PAGE) {
            // 0 is no slot; there are at most as many slots as PIDs.
            *entry = u16::try_from(slot.saturating_add(1)).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pid_has_a_slot_of_its_own() {
        let mut pids = Pids::default();
        assert_eq!(pids.slot(0), None);
        (0..1 << 13).for_each(|pid| pids.set(pid, usize::from(pid)));
        assert!((0..1 << 13).all(|pid| pids.slot(pid) == Some(usize::from(pid))));
        pids.set(1 << 13, 1);
        assert_eq!(pids.slot(1 << 13), None);
    }
}
