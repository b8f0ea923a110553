//! Times go on evenly where the order of pictures restarts (ISO/IEC 23008-2 §8.3.1).

use maliu_core::formats;

use crate::corpus::packets;

/// Times of presentation in order, as pictures counted from the first.
fn shown(data: &[u8]) -> Vec<i64> {
    let packets = packets(&formats::h265::FORMAT, &[], data, 7);
    assert_eq!(packets, self::packets(&formats::h265::FORMAT, &[], data, usize::MAX), "pieces of 7 bytes");
    assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "dts rises");
    assert!(packets.iter().all(|packet| packet.dts <= packet.pts), "pts is not below dts");
    let mut times: Vec<_> = packets.iter().map(|packet| packet.pts.expect("a time").0).collect();
    times.sort_unstable();
    let first = times[0];
    times.iter().map(|time| (time - first) / 48_000).collect()
}

#[test]
fn pictures_shown_before_an_idr_picture_have_a_place_of_their_own() {
    let data = include_bytes!("../../../../samples/h265/idr_with_leading.h265");
    assert_eq!(shown(data), (0..25).collect::<Vec<_>>());
}

#[test]
fn a_recording_joined_on_at_a_clean_random_access_picture_goes_on_evenly() {
    for data in [
        &include_bytes!("../../../../samples/h265/joined_at_cra.h265")[..],
        include_bytes!("../../../../samples/h265/joined_behind_end.h265"),
    ] {
        let times = shown(data);
        assert_eq!(times, (0..times.len() as i64).collect::<Vec<_>>());
    }
}

/// Units of a kind, as offsets of their first byte.
fn units_of(data: &[u8], kind: u8) -> Vec<usize> {
    let units = maliu_core::syntax::annexb::units(data);
    units.filter(|unit| unit.data[0] >> 1 & 63 == kind).map(|unit| unit.at).collect()
}

#[test]
fn ends_of_the_bitstream_restart_the_order_too() {
    let data = include_bytes!("../../../../samples/h265/idr_with_leading.h265").to_vec();
    let sets = units_of(&data, 32)[1];
    let ended = [&data[..sets - 4], &[0, 0, 0, 1, 0x4a, 1], &data[sets - 4..]].concat();
    assert_eq!(shown(&ended), (0..25).collect::<Vec<_>>());
}

#[test]
fn broken_links_restart_the_order_and_keep_their_leading_pictures() {
    let mut data = include_bytes!("../../../../samples/h265/joined_at_cra.h265").to_vec();
    let random_access = units_of(&data, 21);
    assert_eq!(random_access.len(), 4);
    random_access.into_iter().for_each(|at| data[at] = 16 << 1);
    let times = shown(&data);
    assert_eq!(times, (0..times.len() as i64).collect::<Vec<_>>());
}
