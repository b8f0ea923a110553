//! Containers that are recognised only to be refused by name: their payloads hold rows of frames that a probe by content
//! would take for a stream of their own.

/// Where a mark stands, what it is, and whose it is.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"OggS", "an Ogg stream (RFC 3533)"),
    (0, b"fLaC", "a FLAC file (RFC 9639)"),
    (0, b"caff", "a Core Audio file"),
    (8, b"AIFF", "an AIFF file"),
    (8, b"AIFC", "an AIFF-C file"),
    (8, b"AVI ", "an AVI file"),
    (0, &[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], "an ASF, WMA or WMV file"),
    (0, b"#!AMR", "an AMR file (RFC 4867)"),
    (0, b"#EXTM3U", "an M3U8 playlist without its folder (RFC 8216)"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"MPCK", "a Musepack file"),
    (0, b"DSD ", "a DSF file"),
    (0, b".snd", "a Sun or NeXT audio file"),
    (0, b"DKIF", "an IVF file"),
    (0, &[0x0a, 0x0d, 0x0d, 0x0a], "a pcapng capture"),
    (0, &[0xd4, 0xc3, 0xb2, 0xa1], "a pcap capture"),
];

/// The container that `bytes` begin, if it is one that this build does not read.
pub fn container(bytes: &[u8]) -> Option<&'static str> {
    let marked = MARKS.iter().find(|(at, mark, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    marked.map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_name_the_container() {
        assert_eq!(container(b"caff\0\x01\0\0desc"), Some("a Core Audio file"));
        assert!(container(b"OggS\0\x02").is_some_and(|name| name.contains("Ogg")));
        for ours in [&b"RIFF\0\0\0\0WAVE"[..], b"FLV\x01", &[0xff, 0xf1], &[0, 0, 0, 1, 0x67], b"ID3\x03", b""] {
            assert_eq!(container(ours), None, "{ours:?}");
        }
    }
}
