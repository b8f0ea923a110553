//! A singly linked list in one vector: elements keep their index while others come and go.

use alloc::vec::Vec;

/// The place of an element, valid until it is taken.
pub(super) type Index = u32;

/// Places that an empty list keeps at most.
pub(super) const MOST_SPARE: usize = 1024;

/// The list.
#[derive(Debug)]
pub(super) struct List<T> {
    nodes: Vec<Node<T>>,
    free: Option<Index>,
    head: Option<Index>,
    tail: Option<Index>,
    len: usize,
}

#[derive(Debug)]
struct Node<T> {
    value: Option<T>,
    next: Option<Index>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: None, head: None, tail: None, len: 0 }
    }
}

impl<T> List<T> {
    /// Puts `value` behind `behind`, or to the front.
    #[inline(always)]
    pub(super) fn insert(&mut self, behind: Option<Index>, value: T) -> Index {
        let next = self.after(behind);
        let index = self.store(Node { value: Some(value), next });
        match behind.and_then(|behind| self.nodes.get_mut(behind as usize)) {
            Some(node) => node.next = Some(index),
            None => self.head = Some(index),
        }
        if next.is_none() {
            self.tail = Some(index);
        }
        self.len += 1;
        index
    }

    /// Takes the first element.
    #[inline(always)]
    pub(super) fn take_head(&mut self) -> Option<(Index, T)> {
        let index = self.head?;
        let free = self.free;
        let node = self.nodes.get_mut(index as usize)?;
        let value = node.value.take()?;
        self.head = node.next;
        node.next = free;
        self.free = Some(index);
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        if self.len == 0 && self.nodes.len() > MOST_SPARE {
            (self.nodes, self.free) = (Vec::new(), None);
        }
        Some((index, value))
    }

    /// The element behind `behind`, or the first one.
    pub(super) fn after(&self, behind: Option<Index>) -> Option<Index> {
        match behind {
            Some(behind) => self.nodes.get(behind as usize)?.next,
            None => self.head,
        }
    }

    /// The last element.
    pub(super) fn tail(&self) -> Option<Index> {
        self.tail
    }

    /// The value of an element.
    pub(super) fn at(&self, index: Index) -> Option<&T> {
        self.nodes.get(index as usize)?.value.as_ref()
    }

    /// The value of the first element.
    pub(super) fn head(&self) -> Option<&T> {
        self.at(self.head?)
    }

    /// The places of the elements in order.
    pub(super) fn places(&self) -> impl Iterator<Item = Index> {
        let mut next = self.head;
        core::iter::from_fn(move || {
            let index = next?;
            next = self.nodes.get(index as usize)?.next;
            Some(index)
        })
    }

    /// Shows all values with their places in order, to be changed.
    pub(super) fn for_each_mut(&mut self, mut change: impl FnMut(Index, &mut T)) {
        let mut next = self.head;
        while let Some((index, node)) = next.and_then(|index| Some((index, self.nodes.get_mut(index as usize)?))) {
            next = node.next;
            node.value.iter_mut().for_each(|value| change(index, value));
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn store(&mut self, node: Node<T>) -> Index {
        match self.free.and_then(|free| self.nodes.get_mut(free as usize).map(|slot| (free, slot))) {
            Some((index, slot)) => {
                self.free = slot.next;
                *slot = node;
                index
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as Index
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_go_where_they_are_put_and_places_are_reused() {
        let mut list = List::default();
        let b = list.insert(None, 'b');
        list.insert(None, 'a');
        let c = list.insert(Some(b), 'c');
        let text = |list: &List<char>| list.places().filter_map(|place| list.at(place)).collect::<String>();
        assert_eq!(text(&list), "abc");
        assert_eq!((list.tail(), list.len(), list.take_head().map(|(_, v)| v)), (Some(c), 3, Some('a')));
        list.insert(Some(c), 'd');
        assert_eq!((text(&list), list.nodes.len()), ("bcd".into(), 3));
        while list.take_head().is_some() {}
        assert_eq!((list.head(), list.tail(), list.len()), (None, None, 0));
    }

    use alloc::string::String;
}
