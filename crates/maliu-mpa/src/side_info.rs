//! The side information of layer III, judged before anything is decoded by it (ISO/IEC 11172-3 §2.4.1.7, 13818-3 §2.4.1.7).

use crate::Error;
use crate::bits::Bits;
use crate::header::Header;

/// The side information of a frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct SideInfo {
    /// Bytes of earlier frames that the main data begins with.
    pub(crate) main_data_begin: usize,
    /// Of each channel: which groups of scale factors the second granule shares with the first; group 0 in bit 3.
    pub(crate) scfsi: [u8; 2],
    /// By granule and channel.
    pub(crate) granules: [[Granule; 2]; 2],
}

/// The side information of a granule of one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granule {
    /// Bits of scale factors and Huffman codes.
    pub(crate) part2_3_length: usize,
    /// Pairs of lines that are coded by `table_select`.
    pub(crate) big_values: usize,
    pub(crate) global_gain: u8,
    pub(crate) scalefac_compress: u16,
    /// 0 long, 1 start, 2 three short ones, 3 stop.
    pub(crate) block_type: u8,
    pub(crate) mixed_block_flag: bool,
    pub(crate) table_select: [u8; 3],
    pub(crate) subblock_gain: [u8; 3],
    /// Where the first two regions end.
    pub(crate) regions: Regions,
    pub(crate) preflag: bool,
    pub(crate) scalefac_scale: bool,
    pub(crate) count1table_select: bool,
}

/// Where the first two regions of Huffman codes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Regions {
    /// Scale factor bands of long blocks in each.
    Counted { region0_count: u8, region1_count: u8 },
    /// Fixed by the block type; there is no third region.
    Fixed,
}

impl Default for Regions {
    fn default() -> Self {
        Regions::Counted { region0_count: 0, region1_count: 0 }
    }
}

/// Most pairs of lines in a granule.
const MOST_PAIRS: usize = 288;

/// Tables that the standard leaves out.
const NO_TABLES: [u8; 2] = [4, 14];

impl SideInfo {
    /// Reads the side information at the start of `data`.
    pub(crate) fn parse(header: &Header, data: &[u8]) -> Result<SideInfo, Error> {
        let mut bits = Bits::new(data);
        let mut side = SideInfo::default();
        let channels = header.channels();
        if header.is_low() {
            side.main_data_begin = bits.read(8) as usize;
            bits.skip(if channels == 1 { 1 } else { 2 });
        } else {
            side.main_data_begin = bits.read(9) as usize;
            bits.skip(if channels == 1 { 5 } else { 3 });
            for scfsi in side.scfsi.iter_mut().take(channels) {
                *scfsi = bits.read(4) as u8;
            }
        }
        for granule in side.granules.iter_mut().take(header.granules()) {
            for channel in granule.iter_mut().take(channels) {
                *channel = Granule::parse(&mut bits, header.is_low())?;
            }
        }
        Ok(side)
    }

    /// Bits of main data that all granules use.
    pub(crate) fn bits(&self) -> usize {
        self.granules.iter().flatten().map(|granule| granule.part2_3_length).sum()
    }

    /// The global_gain that all granules have; `None` when they differ.
    pub(crate) fn common_gain(&self, header: &Header) -> Option<u8> {
        let granules = self.granules.iter().take(header.granules());
        let mut gains = granules.flat_map(|granule| granule.iter().take(header.channels())).map(|it| it.global_gain);
        let first = gains.next()?;
        gains.all(|gain| gain == first).then_some(first)
    }
}

impl Granule {
    fn parse(bits: &mut Bits, low: bool) -> Result<Granule, Error> {
        let start = bits.position();
        let malformed = |what| Err(Error::Malformed { what, bit: start });
        let mut granule = Granule {
            part2_3_length: bits.read(12) as usize,
            big_values: bits.read(9) as usize,
            global_gain: bits.read(8) as u8,
            scalefac_compress: bits.read(if low { 9 } else { 4 }) as u16,
            ..Granule::default()
        };
        if granule.big_values > MOST_PAIRS {
            return malformed("more lines than a granule has");
        }
        if bits.flag() {
            granule.block_type = bits.read(2) as u8;
            granule.mixed_block_flag = bits.flag();
            granule.table_select = [bits.read(5) as u8, bits.read(5) as u8, 0];
            granule.subblock_gain = [bits.read(3) as u8, bits.read(3) as u8, bits.read(3) as u8];
            granule.regions = Regions::Fixed;
            if granule.block_type == 0 {
                return malformed("reserved block type");
            }
        } else {
            granule.table_select = [bits.read(5) as u8, bits.read(5) as u8, bits.read(5) as u8];
            let (region0_count, region1_count) = (bits.read(4) as u8, bits.read(3) as u8);
            granule.regions = Regions::Counted { region0_count, region1_count };
        }
        if granule.big_values > 0 && NO_TABLES.contains(&granule.table_select[0]) {
            return malformed("reserved Huffman table");
        }
        granule.preflag = !low && bits.flag();
        granule.scalefac_scale = bits.flag();
        granule.count1table_select = bits.flag();
        Ok(granule)
    }
}
