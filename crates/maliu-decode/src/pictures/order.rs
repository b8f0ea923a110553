//! Pictures in the order in which they are shown, not held back longer than needed (ISO/IEC 14496-10 Annex C.4).

/// Most pictures that are held back.
const MOST: usize = 16;

/// Pictures that wait for others which are shown earlier.
#[derive(Debug)]
pub(super) struct Order<T> {
    /// Sequence, picture order count, picture.
    waiting: Vec<(u64, i32, T)>,
    /// Grows where the order counts begin anew.
    sequence: u64,
    depth: usize,
    /// Order of the picture that was given out last.
    last: Option<(u64, i32)>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), sequence: 0, depth: MOST, last: None }
    }
}

impl<T> Order<T> {
    /// Pictures that are decoded before one that is shown earlier; at most 16.
    pub(super) fn set_depth(&mut self, depth: u8) {
        self.depth = usize::from(depth).min(MOST);
    }

    /// Order counts begin anew: all that wait are shown first.
    pub(super) fn restart(&mut self, out: &mut Vec<T>) {
        self.sequence += 1;
        self.drain(out);
    }

    /// A picture was decoded.
    pub(super) fn push(&mut self, count: i32, picture: T, out: &mut Vec<T>) {
        // A stream that holds back more than it declares is believed from then on.
        if self.last.is_some_and(|last| last > (self.sequence, count)) {
            self.depth = (self.depth + 1).min(MOST);
        }
        self.waiting.push((self.sequence, count, picture));
        while self.waiting.len() > self.depth {
            self.pop(out);
        }
    }

    /// Gives out the picture that is shown first, before its time if need be. Whether there was one.
    pub(super) fn pop(&mut self, out: &mut Vec<T>) -> bool {
        let first = self.waiting.iter().enumerate().min_by_key(|(_, (sequence, count, _))| (*sequence, *count));
        let Some(index) = first.map(|(index, _)| index) else { return false };
        let (sequence, count, picture) = self.waiting.remove(index);
        self.last = Some((sequence, count));
        out.push(picture);
        true
    }

    /// Gives out all that wait.
    pub(super) fn drain(&mut self, out: &mut Vec<T>) {
        while self.pop(out) {}
    }

    /// Forgets all that wait.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.last = None;
    }

    /// The pictures that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter().map(|(_, _, picture)| picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pictures are out after each of these.
    fn shown(depth: u8, counts: &[i32]) -> (Vec<i32>, Vec<usize>) {
        let (mut order, mut out) = (Order::default(), Vec::new());
        order.set_depth(depth);
        let mut lengths = Vec::new();
        for count in counts {
            order.push(*count, *count, &mut out);
            lengths.push(out.len());
        }
        order.drain(&mut out);
        (out, lengths)
    }

    #[test]
    fn a_picture_is_out_as_soon_as_the_declared_depth_allows() {
        assert_eq!(shown(0, &[0, 2, 4]), (vec![0, 2, 4], vec![1, 2, 3]));
        assert_eq!(shown(1, &[0, 4, 2, 8, 6]), (vec![0, 2, 4, 6, 8], vec![0, 1, 2, 3, 4]));
        assert_eq!(shown(16, &[0, 4, 2]), (vec![0, 2, 4], vec![0, 0, 0]));
    }

    #[test]
    fn a_stream_that_declares_too_little_is_held_back_longer_from_then_on() {
        assert_eq!(shown(0, &[0, 4, 2, 8, 6, 12, 10]).0, [0, 4, 2, 6, 8, 10, 12]);
    }

    #[test]
    fn counts_that_begin_anew_come_after_all_before() {
        let (mut order, mut out) = (Order::default(), Vec::new());
        order.push(8, 8, &mut out);
        order.restart(&mut out);
        order.push(0, 0, &mut out);
        order.drain(&mut out);
        assert_eq!(out, [8, 0]);
    }
}
