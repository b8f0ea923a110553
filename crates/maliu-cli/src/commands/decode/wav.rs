//! The head of a WAV file: RIFF, or RF64 past 4 GiB (Microsoft RIFF, EBU Tech 3306).
//!
//! ```text
//!   RIFF|RF64 size WAVE │ JUNK|ds64 28 │ fmt  16|18|40 │ fact 4 (floating point) │ data size │ samples … [0]
//! ```
//!
//! A file gets JUNK, which becomes ds64 when the sizes need 64 bits. On a pipe the sizes are those of live recorders:
//! all ones, "until the end".

use maliu_decode::{AudioFrame, SampleFormat};

/// What stands in the head.
pub struct Head {
    format: SampleFormat,
    sample_rate: u32,
    channels: u16,
    channel_mask: u32,
    /// Whether the head can be written again at the end.
    patched: bool,
}

impl Head {
    /// The head of a file of samples like those of `frame`.
    pub fn new(frame: &AudioFrame, format: SampleFormat, patched: bool) -> Self {
        let usual = USUAL_MASKS.get(usize::from(frame.channels)).copied().unwrap_or(0);
        let channel_mask = if frame.channel_mask == 0 { usual } else { frame.channel_mask };
        Self { format, sample_rate: frame.sample_rate, channels: frame.channels, channel_mask, patched }
    }

    /// The head before so many bytes of samples; `None` when their number is not known yet.
    pub fn bytes(&self, data: Option<u64>) -> Vec<u8> {
        let fmt = self.fmt();
        let fact = self.is_float() && self.patched;
        let behind_sizes = 4 + if self.patched { 36 } else { 0 } + 8 + fmt.len() + if fact { 12 } else { 0 } + 8;
        let riff = data.map(|data| data + (data & 1) + behind_sizes as u64);
        let wide = riff.is_some_and(|riff| riff >= u64::from(u32::MAX));
        let short = |size: Option<u64>| size.and_then(|size| u32::try_from(size).ok()).filter(|_| !wide);
        let size = |size| short(size).unwrap_or(u32::MAX).to_le_bytes();
        let frames = data.map(|data| data / self.block_align());

        let mut head = Vec::with_capacity(behind_sizes + 8);
        head.extend_from_slice(if wide { b"RF64" } else { b"RIFF" });
        head.extend_from_slice(&size(riff));
        head.extend_from_slice(b"WAVE");
        if self.patched {
            head.extend_from_slice(if wide { b"ds64" } else { b"JUNK" });
            head.extend_from_slice(&28u32.to_le_bytes());
            for value in [riff, data, frames] {
                head.extend_from_slice(&value.filter(|_| wide).unwrap_or(0).to_le_bytes());
            }
            head.extend_from_slice(&[0; 4]);
        }
        head.extend_from_slice(b"fmt ");
        head.extend_from_slice(&(fmt.len() as u32).to_le_bytes());
        head.extend_from_slice(&fmt);
        if fact {
            head.extend_from_slice(b"fact");
            head.extend_from_slice(&4u32.to_le_bytes());
            head.extend_from_slice(&size(frames));
        }
        head.extend_from_slice(b"data");
        head.extend_from_slice(&size(data));
        head
    }

    fn fmt(&self) -> Vec<u8> {
        let bits = self.format.bytes() as u16 * 8;
        let tag = if self.is_float() { WAVE_FORMAT_IEEE_FLOAT } else { WAVE_FORMAT_PCM };
        // Microsoft: more than two channels, or whole numbers of more than 16 bits, need the extensible form.
        let extensible = self.channels > 2 || (bits > 16 && !self.is_float());
        let mut fmt = Vec::with_capacity(40);
        fmt.extend_from_slice(&if extensible { WAVE_FORMAT_EXTENSIBLE } else { tag }.to_le_bytes());
        fmt.extend_from_slice(&self.channels.to_le_bytes());
        fmt.extend_from_slice(&self.sample_rate.to_le_bytes());
        let rate = u64::from(self.sample_rate) * self.block_align();
        fmt.extend_from_slice(&u32::try_from(rate).unwrap_or(u32::MAX).to_le_bytes());
        fmt.extend_from_slice(&u16::try_from(self.block_align()).unwrap_or(u16::MAX).to_le_bytes());
        fmt.extend_from_slice(&bits.to_le_bytes());
        if extensible {
            fmt.extend_from_slice(&22u16.to_le_bytes());
            fmt.extend_from_slice(&bits.to_le_bytes());
            fmt.extend_from_slice(&self.channel_mask.to_le_bytes());
            fmt.extend_from_slice(&tag.to_le_bytes());
            fmt.extend_from_slice(&SUBTYPE_TAIL);
        } else if self.is_float() {
            fmt.extend_from_slice(&0u16.to_le_bytes());
        }
        fmt
    }

    fn is_float(&self) -> bool {
        self.format == SampleFormat::F32Le
    }

    fn block_align(&self) -> u64 {
        u64::from(self.channels) * self.format.bytes() as u64
    }
}

const WAVE_FORMAT_PCM: u16 = 1;
const WAVE_FORMAT_IEEE_FLOAT: u16 = 3;
const WAVE_FORMAT_EXTENSIBLE: u16 = 0xfffe;

/// What follows the format tag in a SubFormat GUID.
const SUBTYPE_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// The channel mask that is meant when a count comes without one.
const USUAL_MASKS: [u32; 9] = [0, 0x4, 0x3, 0x7, 0x107, 0x37, 0x3f, 0x70f, 0x63f];

#[cfg(test)]
mod tests {
    use maliu_decode::Samples;

    use super::*;

    fn head(channels: u16, format: SampleFormat, patched: bool) -> Head {
        let samples = Samples::F32(Vec::new());
        let frame = AudioFrame { sample_rate: 48_000, channels, channel_mask: 0, time: None, samples };
        Head::new(&frame, format, patched)
    }

    #[test]
    fn sizes_past_four_gib_go_into_ds64() {
        let head = head(2, SampleFormat::S16Le, true);
        let (unknown, small, large) = (head.bytes(None), head.bytes(Some(101)), head.bytes(Some(5 << 30)));
        assert_eq!((unknown.len(), small.len(), large.len()), (80, 80, 80));
        assert_eq!(
            (&small[..4], &small[4..8], &small[12..16]),
            (&b"RIFF"[..], &(80u32 - 8 + 102).to_le_bytes()[..], &b"JUNK"[..])
        );
        assert_eq!(small[76..], 101u32.to_le_bytes());
        assert_eq!((&large[..8], &large[12..16]), (&b"RF64\xff\xff\xff\xff"[..], &b"ds64"[..]));
        assert_eq!(large[20..28], ((5u64 << 30) + 72).to_le_bytes());
        assert_eq!(large[28..36], (5u64 << 30).to_le_bytes());
        assert_eq!(large[36..44], (5u64 << 28).to_le_bytes());
        assert_eq!(large[76..], [0xff; 4]);
    }

    #[test]
    fn a_pipe_gets_sizes_of_all_ones() {
        let bytes = head(1, SampleFormat::S16Le, false).bytes(None);
        assert_eq!((bytes.len(), &bytes[4..8], &bytes[40..]), (44, &[0xff; 4][..], &[0xff; 4][..]));
    }

    #[test]
    fn wide_samples_and_many_channels_are_extensible() {
        for (channels, format, len) in
            [(2, SampleFormat::S24Le, 40), (6, SampleFormat::U8, 40), (2, SampleFormat::F32Le, 18)]
        {
            assert_eq!(head(channels, format, false).fmt().len(), len);
        }
    }
}
