//! Properties of any bytes: splitting and joining, escaping, packaging.

use bytes::Bytes;
use maliu_core::{
    input::Input,
    syntax::{
        annexb::{self, Framing, Splitter, Step},
        h264, h265,
    },
};
use proptest::{collection::vec, prelude::*};

/// Bytes in which zeros, ones and threes are common.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![4 => Just(0u8), 2 => Just(1u8), 2 => Just(3u8), 3 => any::<u8>()], 0..most)
}

/// NAL units as an encoder makes them: a header, an escaped payload, no zero at the end.
fn nals() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let nal = (prop_oneof![Just(0x65u8), Just(0x41), Just(0x67), Just(0x06)], bytes(40));
    let nal = nal.prop_map(|(header, payload)| {
        let mut nal = vec![header];
        nal.extend_from_slice(&annexb::escape(&payload));
        nal.push(0x80);
        nal
    });
    vec(nal, 1..8)
}

fn joined(nals: &[Vec<u8>], codes: &[u8]) -> Vec<u8> {
    let code = |n: usize| if codes.get(n).is_some_and(|long| long % 2 == 0) { &[0, 0, 0, 1][..] } else { &[0, 0, 1] };
    nals.iter().enumerate().flat_map(|(n, nal)| code(n).iter().chain(nal).copied()).collect()
}

proptest! {
    #[test]
    fn escaping_and_unescaping_gives_the_same(raw in bytes(200)) {
        let nal = annexb::escape(&raw);
        prop_assert_eq!(&*annexb::unescape(&nal), &raw[..]);
        let forbidden = |three: &&[u8]| three[0] == 0 && three[1] == 0 && three[2] < 3;
        prop_assert_eq!(nal.windows(3).find(forbidden), None);
    }

    #[test]
    fn splitting_what_was_joined_gives_the_units(nals in nals(), codes in vec(any::<u8>(), 8), size in 1usize..20) {
        let data = joined(&nals, &codes);
        let units: Vec<_> = annexb::units(&data).map(|unit| unit.data.to_vec()).collect();
        prop_assert_eq!(&units, &nals);
        let (mut input, mut splitter, mut split) = (Input::new(), Splitter::default(), Vec::new());
        let mut pieces = data.chunks(size);
        loop {
            match splitter.poll(&mut input).unwrap() {
                Step::Unit { data, .. } => split.push(data.to_vec()),
                Step::End => break,
                Step::NeedBytes => match pieces.next() {
                    Some(piece) => input.push(piece),
                    None => input.end(),
                },
            }
        }
        prop_assert_eq!(&split, &nals);
    }

    #[test]
    fn packaging_goes_there_and_back_and_twice_is_once(nals in nals(), codes in vec(any::<u8>(), 8)) {
        let codes = Bytes::from(joined(&nals, &codes));
        let sized = annexb::to_lengths(&codes, Framing::AnnexB);
        prop_assert!(annexb::lengths(&sized, 4).eq(nals.iter().map(Vec::as_slice)));
        prop_assert_eq!(Framing::guess(&sized), Framing::Lengths(4));
        prop_assert_eq!(annexb::to_lengths(&sized, Framing::guess(&sized)), sized.clone());
        let back = annexb::from_lengths(&sized, Framing::Lengths(4));
        prop_assert!(annexb::units(&back).map(|unit| unit.data).eq(nals.iter().map(Vec::as_slice)));
        prop_assert_eq!(annexb::from_lengths(&back, Framing::AnnexB), back.clone());
        prop_assert_eq!(annexb::to_lengths(&back, Framing::AnnexB), sized);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(header in any::<[u8; 2]>(), payload in bytes(120)) {
        for kind in 0..64u8 {
            let mut nal = vec![kind << 1, 1];
            nal.extend_from_slice(&payload);
            let _ = (h265::Vps::parse(&nal), h265::Sps::parse(&nal), h265::Pps::parse(&nal));
            nal.splice(..2, [kind & 0x1f | header[0] & 0x60]);
            let _ = (h264::Sps::parse(&nal), h264::Pps::parse(&nal, |_| None), h264::SliceStart::parse(&nal));
            h264::for_each_sei(&nal, |_| {});
        }
        let data = Bytes::from(payload);
        let _ = (h264::build_config(&data), h265::build_config(&data), h264::Config::parse(&data), h265::Config::parse(&data));
        let _ = (annexb::to_lengths(&data, Framing::guess(&data)), annexb::from_lengths(&data, Framing::Lengths(2)));
    }
}
