//! The bytes of side data as the reference keeps them, so that their checksums are the same.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::packet::{SideData, Trim};

/// The entries of a packet: new configuration, samples to drop.
pub(super) fn entries(side: &SideData) -> Vec<Bytes> {
    let mut entries: Vec<Bytes> = side.new_config().cloned().into_iter().collect();
    let Trim { start, end } = side.trim();
    if (start, end) != (0, 0) {
        // u32le samples at the start, u32le at the end, a byte of reason for each.
        let bytes: Vec<u8> = start.to_le_bytes().into_iter().chain(end.to_le_bytes()).chain([0, 0]).collect();
        entries.push(Bytes::from(bytes));
    }
    entries.extend(side.opaque().iter().map(|(_, bytes)| bytes.clone()));
    entries
}
