//! MPEG-4 audio in access units with headers (RFC 3640): AAC-hbr, AAC-lbr, generic.
//!
//! ```text
//!   AU-headers-length(16 bits) { AU-size AU-Index(-delta) [CTS-flag CTS-delta] [DTS-flag DTS-delta] [RAP] [state] }…
//!   [auxiliary-data-size auxiliary data] access units
//! ```

use alloc::vec::Vec;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};
use crate::{bits::Bits, rtp::sdp::Media as Section, stream::StreamInfo, syntax::aac::AudioSpecificConfig};

/// Most access units of one packet.
const MAX_UNITS: usize = 512;

/// Reads packets of access units.
#[derive(Debug)]
pub(super) struct Generic {
    size_bits: u32,
    index_bits: u32,
    delta_bits: u32,
    cts_bits: u32,
    dts_bits: u32,
    random_access: bool,
    state_bits: u32,
    auxiliary_bits: u32,
    constant_size: usize,
    /// Ticks of one access unit.
    lasts: i64,
    /// An access unit in fragments: its time, its size, what has come.
    fragment: Option<(i64, usize, Vec<u8>)>,
    /// Packets are missing.
    lost: bool,
}

impl Generic {
    pub(super) fn of(section: &Section, info: &StreamInfo, clock: i64) -> Result<Self, &'static str> {
        let bits = |name: &str| section.number(name).unwrap_or(0);
        let small = |name: &str| Some(bits(name)).filter(|bits| *bits <= 32).ok_or("a field of more than 32 bits");
        let config = AudioSpecificConfig::parse(&info.config);
        let lasts = config.map_or(1024 * clock / i64::from(info.as_audio().map_or(1, |a| a.rate().max(1))), |config| {
            i64::from(config.frame_size()) * clock / i64::from(config.sample_rate.max(1))
        });
        let mode = section.parameter("mode").unwrap_or_default();
        let (size, index) = match mode {
            _ if section.parameter("sizeLength").is_some() => (small("sizeLength")?, small("indexLength")?),
            mode if mode.eq_ignore_ascii_case("AAC-hbr") => (13, 3),
            mode if mode.eq_ignore_ascii_case("AAC-lbr") => (6, 2),
            _ => (small("sizeLength")?, small("indexLength")?),
        };
        Ok(Self {
            size_bits: size,
            index_bits: index,
            delta_bits: section.parameter("indexDeltaLength").map_or(Ok(index), |_| small("indexDeltaLength"))?,
            cts_bits: small("CTSDeltaLength")?,
            dts_bits: small("DTSDeltaLength")?,
            random_access: bits("randomAccessIndication") == 1,
            state_bits: small("streamStateIndication")?,
            auxiliary_bits: small("auxiliaryDataSizeLength")?,
            constant_size: bits("constantSize") as usize,
            lasts: section.number("constantDuration").filter(|lasts| *lasts > 0).map_or(lasts, i64::from),
            fragment: None,
            lost: false,
        })
    }

    fn has_headers(&self) -> bool {
        self.size_bits + self.index_bits + self.delta_bits + self.cts_bits + self.dts_bits + self.state_bits > 0
            || self.random_access
    }

    /// Size and index of each access unit, and where their data begins; `None` for headers that are cut.
    fn headers(&self, payload: &[u8]) -> Option<(Vec<(usize, i64)>, usize)> {
        let mut units = Vec::new();
        let mut at = 0;
        if self.has_headers() {
            let total = usize::from(u16::from_be_bytes(*payload.first_chunk::<2>()?));
            at = 2 + total.div_ceil(8);
            let mut bits = Bits::new(payload.get(2..at)?);
            let mut index = 0i64;
            while bits.position() < total && units.len() < MAX_UNITS {
                let before = bits.position();
                let size = if self.size_bits > 0 { bits.read(self.size_bits)? as usize } else { self.constant_size };
                index = match units.is_empty() {
                    true => i64::from(read(&mut bits, self.index_bits)?),
                    false => index + 1 + i64::from(read(&mut bits, self.delta_bits)?),
                };
                for delta in [self.cts_bits, self.dts_bits] {
                    if delta > 0 && bits.flag()? {
                        read(&mut bits, delta)?;
                    }
                }
                if self.random_access {
                    bits.flag()?;
                }
                read(&mut bits, self.state_bits)?;
                units.push((size, index));
                if bits.position() == before {
                    break;
                }
            }
            // The serial number of the first one says nothing of its time.
            let first = units.first().map_or(0, |(_, index)| *index);
            units.iter_mut().for_each(|(_, index)| *index -= first);
        }
        if self.auxiliary_bits > 0 {
            let size = read(&mut Bits::new(payload.get(at..)?), self.auxiliary_bits)? as usize;
            at += (self.auxiliary_bits as usize + size).div_ceil(8);
        }
        Some((units, at))
    }

    fn unit(&self, time: i64, data: bytes::Bytes) -> Unit {
        Unit { time, duration: Some(self.lasts), key: true, data, ..Unit::default() }
    }

    /// A further part of the access unit under way.
    fn go_on(&mut self, data: &[u8], out: &mut Out) {
        let Some((time, size, mut bytes)) = self.fragment.take() else { return };
        bytes.extend_from_slice(data);
        if bytes.len() < size {
            self.fragment = Some((time, size, bytes));
            return;
        }
        bytes.truncate(size);
        out.units.push_back(self.unit(time, bytes.into()));
    }
}

/// A field that may have no bits.
fn read(bits: &mut Bits, count: u32) -> Option<u32> {
    if count == 0 { Some(0) } else { bits.read(count) }
}

impl Unpack for Generic {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if core::mem::take(&mut self.lost) || self.fragment.as_ref().is_some_and(|(time, ..)| *time != part.time) {
            self.fragment = None;
        }
        let Some((units, at)) = self.headers(part.payload) else {
            out.remark("access unit headers that are cut: packet left out");
            return;
        };
        let mut data = part.payload.slice(at.min(part.payload.len())..);
        if let [(size, _)] = units[..]
            && size > data.len()
        {
            match self.fragment.is_some() {
                true => self.go_on(&data, out),
                false if size <= MAX_UNIT => self.fragment = Some((part.time, size, data.to_vec())),
                false => {}
            }
            return;
        }
        if units.is_empty() && !data.is_empty() {
            // Without headers: of one size, or one alone.
            let size = if self.constant_size > 0 { self.constant_size } else { data.len() };
            for n in 0..(data.len() / size).min(MAX_UNITS) {
                let unit = data.split_to(size);
                out.units.push_back(self.unit(part.time + n as i64 * self.lasts, unit));
            }
            return;
        }
        for (size, index) in units {
            if size > data.len() {
                out.remark("an access unit that is cut left out");
                return;
            }
            let unit = data.split_to(size);
            if size > 0 {
                out.units.push_back(self.unit(part.time.saturating_add(index.saturating_mul(self.lasts)), unit));
            }
        }
    }

    fn lost(&mut self) {
        self.lost = true;
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use bytes::Bytes;

    use super::*;
    use crate::stream::Codec;

    fn generic() -> Generic {
        let parameters = [("sizelength", "13"), ("indexlength", "3"), ("indexdeltalength", "3")];
        let section = Section {
            parameters: parameters.map(|(name, value)| (name.to_string(), value.to_string())).to_vec(),
            ..Section::default()
        };
        let info = StreamInfo::audio(Codec::Aac, 48_000, 2).with_config(vec![0x11, 0x90]);
        Generic::of(&section, &info, 48_000).unwrap()
    }

    fn run(payloads: &[(i64, &[u8])]) -> Vec<(i64, Vec<u8>)> {
        let (mut generic, mut out) = (generic(), Out::default());
        for (time, bytes) in payloads {
            let payload = Bytes::copy_from_slice(bytes);
            generic.push(&Part { time: *time, marker: true, payload: &payload }, &mut out);
        }
        out.units.into_iter().map(|unit| (unit.time, unit.data.to_vec())).collect()
    }

    #[test]
    fn units_of_a_packet_follow_each_other() {
        let units = run(&[(7, &[0, 32, 0, 16, 0, 24, 1, 2, 3, 4, 5])]);
        assert_eq!(units, [(7, vec![1, 2]), (1031, vec![3, 4, 5])]);
    }

    #[test]
    fn a_unit_in_fragments_is_put_together() {
        let units = run(&[(7, &[0, 16, 0, 40, 1, 2, 3]), (7, &[0, 16, 0, 40, 4, 5]), (9, &[0, 16, 0, 8, 6])]);
        assert_eq!(units, [(7, vec![1, 2, 3, 4, 5]), (9, vec![6])]);
    }

    #[test]
    fn headers_that_lie_give_nothing() {
        assert_eq!(run(&[(7, &[0xff, 0xff, 0, 8, 1]), (8, &[0]), (9, &[0, 16, 0, 24, 1])]), []);
    }
}
