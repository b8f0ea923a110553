//! The program stream map, and the codec of a stream (ISO/IEC 13818-1 §2.5.4).

use alloc::vec::Vec;

use super::super::kinds;
use crate::{
    stream::Codec,
    syntax::{pes, psi::Elementary},
};

/// stream_type by elementary_stream_id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StreamMap {
    rows: Vec<(u8, Elementary)>,
}

impl StreamMap {
    /// The map in a packet, from its start code on; `None` when it is cut, or holds for later.
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let body = packet.get(pes::START..)?;
        let (&[flags, _, i0, i1], rest) = body.split_first_chunk::<4>()?;
        let (_, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([i0, i1])))?;
        let (&[l0, l1], rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(rest.len());
        let mut list = rest.get(..length)?;
        let mut rows = Vec::new();
        while let Some((&[stream_type, id, l0, l1], behind)) = list.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([l0, l1])).min(behind.len());
            let (descriptors, next) = behind.split_at_checked(length)?;
            rows.push((id, Elementary { stream_type, pid: id.into(), descriptors: descriptors.to_vec() }));
            list = next;
        }
        (flags & 0x80 != 0).then_some(Self { rows })
    }

    /// Facts of a stream in the map.
    pub(super) fn of(&self, id: u8) -> Option<&Elementary> {
        self.rows.iter().find(|(row, _)| *row == id).map(|(_, stream)| stream)
    }

    /// The codec of a stream; `None` when nothing but its content says it.
    pub(super) fn codec(&self, id: u8) -> Option<Codec> {
        let codec = kinds::codec(self.of(id)?, false);
        (!matches!(codec, Codec::Data | Codec::BinData)).then_some(codec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_cameras_name_their_codecs() {
        let map = [0, 0, 1, 0xbc, 0, 18, 0xe1, 0xff, 0, 0, 0, 8, 0x1b, 0xe0, 0, 0, 0x90, 0xc0, 0, 0, 0, 0, 0, 0];
        let map = StreamMap::parse(&map).unwrap();
        assert_eq!([0xe0, 0xc0, 0xc1].map(|id| map.codec(id)), [Some(Codec::H264), Some(Codec::PcmALaw), None]);
    }
}
