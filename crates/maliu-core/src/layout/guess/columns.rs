//! Bytes at the same place of messages.

use super::chain::Chain;

/// Columns of bytes around the lengths of a chain.
pub(super) struct Columns<'a> {
    pub(super) chain: &'a Chain,
    pub(super) bytes: &'a [u8],
}

impl Columns<'_> {
    /// The byte of each message `offset` behind its length.
    pub(super) fn at(&self, offset: isize) -> impl Iterator<Item = u8> + '_ {
        let byte = move |place: &usize| self.bytes.get(place.checked_add_signed(offset)?).copied();
        self.chain.places.iter().filter_map(byte)
    }
}
