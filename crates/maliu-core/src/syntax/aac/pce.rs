//! The program config element: which channels an AAC stream has when no channelConfiguration says it
//! (ISO/IEC 14496-3 §4.4.1.1, table 4.2).

use alloc::vec::Vec;

use crate::bits::{BitWriter, Bits};

/// A program_config_element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pce {
    /// element_instance_tag.
    pub element_instance_tag: u8,
    /// object_type: profile of the raw blocks, the audio object type less 1.
    pub object_type: u8,
    /// sampling_frequency_index.
    pub sampling_frequency_index: u8,
    /// Front elements: (is_cpe, tag_select).
    pub front: Vec<(bool, u8)>,
    /// Side elements: (is_cpe, tag_select).
    pub side: Vec<(bool, u8)>,
    /// Back elements: (is_cpe, tag_select).
    pub back: Vec<(bool, u8)>,
    /// LFE elements: tag_select.
    pub lfe: Vec<u8>,
    /// Associated data elements: tag_select.
    pub data: Vec<u8>,
    /// Valid coupling channel elements: (is_ind_sw, tag_select).
    pub coupling: Vec<(bool, u8)>,
    /// mono_mixdown_element_number.
    pub mono_mixdown: Option<u8>,
    /// stereo_mixdown_element_number.
    pub stereo_mixdown: Option<u8>,
    /// matrix_mixdown_idx and pseudo_surround_enable, as 3 bits.
    pub matrix_mixdown: Option<u8>,
    /// comment_field_data.
    pub comment: Vec<u8>,
}

/// id_syn_ele of a program config element in a raw data block.
pub const ID_PCE: u32 = 5;

impl Pce {
    /// The element at the cursor, behind its id_syn_ele. `bits` must start where byte alignment counts from.
    pub fn read(bits: &mut Bits) -> Option<Self> {
        let mut pce = Self {
            element_instance_tag: bits.read(4)? as u8,
            object_type: bits.read(2)? as u8,
            sampling_frequency_index: bits.read(4)? as u8,
            ..Self::default()
        };
        let [front, side, back] = [bits.read(4)?, bits.read(4)?, bits.read(4)?];
        let [lfe, data, coupling] = [bits.read(2)?, bits.read(3)?, bits.read(4)?];
        pce.mono_mixdown = optional(bits, 4)?;
        pce.stereo_mixdown = optional(bits, 4)?;
        pce.matrix_mixdown = optional(bits, 3)?;
        pce.front = flagged(bits, front)?;
        pce.side = flagged(bits, side)?;
        pce.back = flagged(bits, back)?;
        pce.lfe = plain(bits, lfe)?;
        pce.data = plain(bits, data)?;
        pce.coupling = flagged(bits, coupling)?;
        bits.align();
        let comment = bits.read(8)?;
        pce.comment = (0..comment).map(|_| bits.read(8).map(|byte| byte as u8)).collect::<Option<_>>()?;
        Some(pce)
    }

    /// The element that starts a raw data block, if one does.
    pub fn leading(raw_data_block: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(raw_data_block);
        (bits.read(3)? == ID_PCE).then(|| Self::read(&mut bits))?
    }

    /// Appends the element without its id_syn_ele; alignment counts from the start of `out`.
    pub fn write(&self, out: &mut BitWriter) {
        let count = |list: usize| list as u32;
        out.write(4, self.element_instance_tag.into());
        out.write(2, self.object_type.into());
        out.write(4, self.sampling_frequency_index.into());
        out.write(4, count(self.front.len()));
        out.write(4, count(self.side.len()));
        out.write(4, count(self.back.len()));
        out.write(2, count(self.lfe.len()));
        out.write(3, count(self.data.len()));
        out.write(4, count(self.coupling.len()));
        for (value, width) in [(self.mono_mixdown, 4), (self.stereo_mixdown, 4), (self.matrix_mixdown, 3)] {
            out.write(1, value.is_some().into());
            out.write(if value.is_some() { width } else { 0 }, value.unwrap_or(0).into());
        }
        let pairs = |out: &mut BitWriter, list: &[(bool, u8)]| {
            list.iter().for_each(|&(flag, tag)| out.write(5, u32::from(flag) << 4 | u32::from(tag & 15)));
        };
        [&self.front, &self.side, &self.back].into_iter().for_each(|list| pairs(out, list));
        self.lfe.iter().chain(&self.data).for_each(|tag| out.write(4, (*tag).into()));
        pairs(out, &self.coupling);
        out.align();
        out.write(8, self.comment.len().min(255) as u32);
        self.comment.iter().take(255).for_each(|byte| out.write(8, (*byte).into()));
    }

    /// How many channels the front, side, back and LFE elements carry.
    pub fn channels(&self) -> u16 {
        let sided = [&self.front, &self.side, &self.back].into_iter().flatten();
        let count: usize = sided.map(|(pair, _)| 1 + usize::from(*pair)).sum();
        u16::try_from(count + self.lfe.len()).unwrap_or(u16::MAX)
    }
}

fn optional(bits: &mut Bits, width: u32) -> Option<Option<u8>> {
    Some(if bits.flag()? { Some(bits.read(width)? as u8) } else { None })
}

fn flagged(bits: &mut Bits, count: u32) -> Option<Vec<(bool, u8)>> {
    (0..count).map(|_| Some((bits.flag()?, bits.read(4)? as u8))).collect()
}

fn plain(bits: &mut Bits, count: u32) -> Option<Vec<u8>> {
    (0..count).map(|_| bits.read(4).map(|tag| tag as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_element_reads_back() {
        let pce = Pce {
            element_instance_tag: 3,
            object_type: 1,
            sampling_frequency_index: 3,
            front: alloc::vec![(false, 0), (true, 1)],
            back: alloc::vec![(true, 2)],
            lfe: alloc::vec![0],
            data: alloc::vec![7],
            coupling: alloc::vec![(true, 4)],
            matrix_mixdown: Some(5),
            comment: b"quad".to_vec(),
            ..Pce::default()
        };
        let mut out = BitWriter::new();
        pce.write(&mut out);
        let bytes = out.finish();
        assert_eq!((Pce::read(&mut Bits::new(&bytes)), pce.channels()), (Some(pce), 6));
    }

    #[test]
    fn a_cut_element_is_none() {
        assert_eq!(Pce::leading(&[0b1010_0000, 0x04]), None);
        assert_eq!(Pce::leading(&[0b0010_0000; 40]), None);
    }
}
