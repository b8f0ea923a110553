//! Elementary stream descriptors: codec, bit rate and configuration inside `esds` (ISO/IEC 14496-1 §7.2.6).

use super::fields::Fields;

/// Facts in an elementary stream descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// objectTypeIndication.
    pub object_type: u8,
    /// avgBitrate, in bits per second; 0 when it is not stated.
    pub average: u32,
    /// maxBitrate, in bits per second; 0 when it is not stated.
    pub most: u32,
    /// DecoderSpecificInfo; empty when there is none.
    pub config: &'a [u8],
}

const ES: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;

/// The descriptor in the body of an `esds` box. A body that is cut inside the configuration gives what is there.
pub fn parse(body: &[u8]) -> Option<Descriptor<'_>> {
    let mut fields = Fields::new(body);
    fields.version()?;
    let (tag, es) = next(&mut fields)?;
    let mut fields = Fields::new(es);
    if tag == ES {
        fields.u16()?;
        let flags = fields.u8()?;
        if flags & 0x80 != 0 {
            fields.u16()?;
        }
        if flags & 0x40 != 0 {
            let length = fields.u8()?;
            fields.skip(length.into())?;
        }
        if flags & 0x20 != 0 {
            fields.u16()?;
        }
    } else {
        fields.u16()?;
    }
    let (tag, decoder) = next(&mut fields)?;
    if tag != DECODER_CONFIG {
        return None;
    }
    let mut fields = Fields::new(decoder);
    let object_type = fields.u8()?;
    fields.u8()?;
    fields.u24()?;
    let (most, average) = (fields.u32()?, fields.u32()?);
    let config = next(&mut fields).filter(|(tag, _)| *tag == DECODER_SPECIFIC).map_or(&[][..], |(_, config)| config);
    Some(Descriptor { object_type, average, most, config })
}

/// Tag and body of the next descriptor.
fn next<'a>(fields: &mut Fields<'a>) -> Option<(u8, &'a [u8])> {
    let tag = fields.u8()?;
    let mut length = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let there = length.min(fields.rest().len());
    Some((tag, fields.bytes(there)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_and_four_bytes_are_read() {
        let decoder =
            [&[4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 7, 5, 0x80, 0x80, 0x80, 2, 0x12, 0x10][..]].concat();
        let body = [&[0, 0, 0, 0, 3, 0x80, 0x80, 0x80, 34, 0, 1, 0][..], &decoder].concat();
        let found = parse(&body).unwrap();
        assert_eq!(found, Descriptor { object_type: 0x40, average: 7, most: 9, config: &[] });
        let whole = [&[0, 0, 0, 0, 3, 34, 0, 1, 0, 4, 22][..], &decoder[2..]].concat();
        assert_eq!(parse(&whole).unwrap().config, [0x12, 0x10]);
        assert_eq!(parse(&whole[..18]), None);
    }
}
