//! Colour information of enhanced video: an AMF object named "colorInfo" (FLV-62).

use bytes::Bytes;

use crate::{
    stream::Metadata,
    syntax::amf::{Cursor, Value, amf0},
};

/// The name in front of the object.
pub(super) const NAME: &[u8] = b"colorInfo";

/// Members of `colorConfig`, and the tags they become: code points of ISO/IEC 23091-2.
const CODE_POINTS: &[(&str, &str)] = &[
    ("colorPrimaries", "color_primaries"),
    ("transferCharacteristics", "color_transfer"),
    ("matrixCoefficients", "color_matrix"),
];

/// The payload of a metadata packet, if it is colour information; its code points become tags of the stream.
pub(super) fn read(payload: Bytes, tags: &mut Metadata) -> Option<Bytes> {
    let mut cursor = Cursor::new(&payload);
    if amf0::read_text(&mut cursor)? != NAME {
        return None;
    }
    let read = amf0::read(&mut cursor);
    let config = read.value.member("colorConfig");
    for (member, tag) in CODE_POINTS {
        let value = config.and_then(|config| config.member(member)).and_then(Value::number);
        if let Some(value) = value.filter(|value| (0.0..256.0).contains(value)) {
            tags.set(*tag, alloc::format!("{value:.0}"));
        }
    }
    Some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_become_tags() {
        let mut out = amf0::Writer::default();
        out.text(NAME);
        out.object();
        out.key(b"colorConfig");
        out.object();
        out.key(b"colorPrimaries");
        out.number(9.0);
        out.end();
        out.end();
        let mut tags = Metadata::default();
        assert!(read(Bytes::from(out.bytes), &mut tags).is_some());
        assert_eq!(tags.value("color_primaries"), Some("9"));
        assert_eq!(read(Bytes::from_static(b"\x02\0\x01x\x03\0\0\x09"), &mut tags), None);
    }
}
