//! Keyframes among packets whose NAL units have lengths: containers mark them, and are wrong at times.

use bytes::Bytes;

use super::{Config, Header, Pps, RecoveryPoint, SliceStart, SliceType, Sps, for_each_sei, kind};
use crate::syntax::annexb::lengths;

/// Finds keyframes among the packets of one configuration record (avcC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    length_size: u8,
    /// Pictures refer to one picture at most, so that decoding can start at any I picture.
    one_reference: bool,
}

impl Keys {
    /// For the record in `config`; `None` for other bytes.
    pub fn of(config: &Bytes) -> Option<Self> {
        let record = Config::parse(config)?;
        let sps = record.sps.iter().map(|nal| Sps::parse(nal));
        let pps = record.pps.iter().map(|nal| Pps::parse(nal, |_| None));
        let few =
            sps.fold(!record.sps.is_empty(), |few, sps| few && sps.is_some_and(|sps| sps.max_num_ref_frames <= 1));
        let one_reference = pps.fold(few && !record.pps.is_empty(), |few, pps| {
            few && pps.is_some_and(|pps| pps.num_ref_idx_default_active.first().is_some_and(|count| *count <= 1))
        });
        Some(Self { length_size: record.length_size, one_reference })
    }

    /// Whether decoding can start at a packet: an IDR picture, a recovery point, or an I picture where there is one
    /// reference at most (PAR-7). `None` for a packet without a slice.
    pub fn is_key(&self, data: &[u8]) -> Option<bool> {
        let mut recovery = false;
        for nal in lengths(data, self.length_size) {
            match Header::of(nal).map(|header| header.nal_unit_type) {
                Some(kind::IDR) => return Some(true),
                Some(kind::SLICE | kind::PARTITION_A) => {
                    let intra = || SliceStart::parse(nal).is_some_and(|start| start.slice_type == SliceType::I);
                    return Some(recovery || self.one_reference && intra());
                }
                Some(kind::SEI) => for_each_sei(nal, |message| recovery |= RecoveryPoint::of(message).is_some()),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(nals: &[&[u8]]) -> alloc::vec::Vec<u8> {
        nals.iter().flat_map(|nal| [&(nal.len() as u32).to_be_bytes()[..], *nal].concat()).collect()
    }

    #[test]
    fn the_first_slice_and_the_messages_before_it_decide() {
        let keys = Keys { length_size: 4, one_reference: false };
        let (delimiter, idr, slice) = (&[9, 0x10][..], &[0x65, 0x88][..], &[0x41, 0x9a][..]);
        let (recovery, intra) = (&[6, 6, 1, 0x84, 0x80][..], &[0x41, 0x88, 0x80][..]);
        assert_eq!(keys.is_key(&packet(&[delimiter, idr, slice])), Some(true));
        assert_eq!(keys.is_key(&packet(&[delimiter, slice, idr])), Some(false));
        assert_eq!(keys.is_key(&packet(&[recovery, slice])), Some(true));
        assert_eq!(keys.is_key(&packet(&[intra])), Some(false));
        assert_eq!(Keys { one_reference: true, ..keys }.is_key(&packet(&[intra])), Some(true));
        assert_eq!(Keys { one_reference: true, ..keys }.is_key(&packet(&[slice])), Some(false));
        assert_eq!((keys.is_key(&packet(&[delimiter])), keys.is_key(&[0, 0, 9])), (None, None));
        assert_eq!(Keys::of(&Bytes::from_static(&[0, 1, 2])), None);
    }
}
