//! Tags that change on the way: a change is declared at once, unless changes come to much more than the bytes read.

use alloc::boxed::Box;

use crate::stream::Metadata;

/// Decides when a demuxer tells its tags anew. Every event has all of them, so that an input of nothing but small
/// changes would otherwise become as many events as changes times as large as all tags.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// Bytes of tags that may be declared.
    credit: usize,
    /// They have changed since they were told.
    waits: bool,
}

/// Bytes of tags that are declared without having read anything.
const CREDIT: usize = 1 << 20;

/// Bytes of tags that are declared for each byte read.
const FACTOR: usize = 4;

impl Default for Telling {
    fn default() -> Self {
        Self { credit: CREDIT, waits: false }
    }
}

impl Telling {
    /// So many bytes of the input are read.
    #[inline]
    pub fn earn(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes.saturating_mul(FACTOR));
    }

    /// The tags have changed.
    pub fn change(&mut self) {
        self.waits = true;
    }

    /// The tags, if they are to be declared now.
    #[inline]
    pub fn due(&mut self, tags: &Metadata) -> Option<Box<Metadata>> {
        if !self.waits || tags.weight() > self.credit {
            return None;
        }
        self.credit -= tags.weight();
        self.last(tags)
    }

    /// The tags, if the last change was not told and nothing follows.
    pub fn last(&mut self, tags: &Metadata) -> Option<Box<Metadata>> {
        core::mem::take(&mut self.waits).then(|| Box::new(tags.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_stays_within_what_was_read_and_the_last_change_is_told() {
        let mut tags = Metadata::default();
        (0..1000).for_each(|n| tags.set(alloc::format!("k{n}"), "value"));
        let (mut telling, mut told, mut last) = (Telling::default(), 0, 0);
        for n in 0..3000 {
            tags.set(alloc::format!("k{}", n % 1000), alloc::format!("{n}"));
            telling.earn(50);
            telling.change();
            if let Some(all) = telling.due(&tags) {
                told += all.weight();
                last = n;
            }
        }
        assert!(last > 0 && told <= CREDIT + 3000 * 50 * FACTOR, "{told} bytes, the last of change {last}");
        assert_eq!(telling.last(&tags).as_deref(), Some(&tags));
        assert_eq!(telling.last(&tags), None);
    }
}
