//! Recorded answers of the reference's parsers and conversions, compared with ours (PAR-1…PAR-23, PAR-52, PAR-53).

use bytes::Bytes;
use maliu_core::{
    format::{Format, Score},
    formats,
    input::Input,
    syntax::{
        annexb::{self, RawEvent, RawStream},
        h264,
    },
};
use serde_json::Value;

use super::recorder::adler32;

fn vectors() -> Vec<Value> {
    super::vectors("parsers.jsonl")
}

pub(crate) fn hex(value: &Value) -> Bytes {
    let text = value.as_str().unwrap_or_default().as_bytes();
    let digit = |c: u8| (c as char).to_digit(16).expect("hex") as u8;
    text.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect::<Vec<_>>().into()
}

fn family(vector: &Value) -> &str {
    vector["id"].as_str().and_then(|id| id.rsplit_once('-')).expect("an id ends in a number").0
}

/// The vectors of one family, with their ids.
pub(crate) fn of_family(name: &str) -> Vec<(String, Value)> {
    let all = vectors().into_iter().filter(|vector| family(vector) == name);
    all.map(|vector| (vector["id"].as_str().unwrap_or_default().to_owned(), vector)).collect()
}

#[test]
fn packets_become_annexb_as_in_the_reference() {
    for (id, vector) in of_family("mp4toannexb") {
        let filter = h264::ToAnnexB::new(&hex(&vector["extradata"]));
        assert_eq!(filter.is_none(), vector["init"].as_i64() < Some(0), "{id} init");
        let Some(mut filter) = filter else { continue };
        let sets = filter.parameter_sets().cloned().unwrap_or_else(|| hex(&vector["extradata"]));
        assert_eq!(sets, hex(&vector["extradata_out"]), "{id} extradata");
        for (n, packet) in vector["packets"].as_array().expect("packets").iter().enumerate() {
            if packet == "flush" {
                filter.reset();
                continue;
            }
            let out = filter.packet(&hex(&packet["in"]));
            let expected = (packet["ret"].as_i64() == Some(0)).then(|| hex(&packet["out"]));
            assert_eq!(out, expected, "{id} packet {n}");
        }
    }
}

/// Access units of raw H.264 fed in these pieces: (size, Adler-32, key).
fn access_units(data: &Bytes, pieces: &[usize]) -> Vec<(usize, u32, bool)> {
    let (mut input, mut stream) = (Input::new(), RawStream::new(h264::Pictures::default(), None));
    let (mut rest, mut pieces, mut units) = (data.clone(), pieces.iter(), Vec::new());
    loop {
        match stream.poll(&mut input).expect("no limit is passed") {
            RawEvent::Packet(packet) => units.push((packet.data.len(), adler32(&packet.data), packet.is_key())),
            RawEvent::End => return units,
            RawEvent::NeedBytes if rest.is_empty() => input.end(),
            RawEvent::NeedBytes => {
                let size = pieces.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
                input.push(&rest.split_to(size));
            }
            RawEvent::Stream(_) => {}
        }
    }
}

fn running_sum(sizes: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sum = 0;
    sizes
        .map(|size| {
            sum += size;
            sum
        })
        .collect()
}

/// Where access units end by §7.4.1.2.3, worked out on whole NAL units; by PAR-3 where parameter sets are missing.
fn ends_by_the_full_rule(data: &[u8]) -> Vec<usize> {
    let mut sets = h264::ParameterSets::default();
    let (mut ends, mut slices) = (Vec::new(), Vec::<(u32, Option<h264::SliceHeader>)>::new());
    for unit in annexb::units(data) {
        sets.note(unit.data);
        let slice = h264::SliceStart::parse(unit.data)
            .map(|s| (s.first_mb_in_slice, h264::SliceHeader::parse(unit.data, &sets)));
        let begins = match (unit.data[0] & 0x1f, slices.last(), slice) {
            (6..=9, last, _) => last.is_some(),
            (_, Some((_, Some(last))), Some((first_mb, Some(now)))) => {
                now.begins_picture_after(last) || (first_mb == 0 && slices.iter().any(|slice| slice.0 == 0))
            }
            (_, Some(last), Some(now)) => now.0 <= last.0,
            _ => false,
        };
        if begins {
            ends.push(unit.at - unit.start_code.min(4));
            slices.clear();
        }
        slices.extend(slice);
    }
    ends.push(data.len());
    ends
}

#[test]
fn access_units_are_split_as_in_the_reference_or_by_the_full_rule() {
    // Units of the reference that the full rule cuts or joins: "PAR access units" in the table of differences.
    let mut by_the_full_rule = 0;
    let all = of_family("h264-split");
    for (id, vector) in &all {
        let number = |value: &Value| value.as_u64().expect("a number") as usize;
        let list = |name: &str| vector[name].as_array().expect("a list").iter();
        let pieces: Vec<usize> = list("pieces").map(number).collect();
        let data = hex(&vector["data"]);
        let units = access_units(&data, &pieces);
        assert_eq!(units, access_units(&data, &[]), "{id} whole");
        assert_eq!(units, access_units(&data, &vec![1; data.len()]), "{id} byte by byte");
        let expected: Vec<_> = list("units").map(|u| (number(&u[0]), number(&u[1]) as u32, u[2] == 1)).collect();
        if units == expected {
            continue;
        }
        by_the_full_rule += 1;
        let ends = |units: &[(usize, u32, bool)]| running_sum(units.iter().map(|unit| unit.0));
        assert_eq!(ends(&units), ends_by_the_full_rule(&data), "{id}");
        assert_ne!(ends(&units), ends(&expected), "{id}: same units, other checksums or keys");
    }
    println!("{} of {} as in the reference, the rest by the full rule", all.len() - by_the_full_rule, all.len());
}

#[test]
fn without_parameter_sets_access_units_are_those_of_the_reference() {
    let none = h264::ParameterSets::default();
    for (id, vector) in of_family("h264-split") {
        let data = hex(&vector["data"]);
        let mut access_units = h264::AccessUnits::default();
        let begins = annexb::units(&data).filter(|unit| access_units.begins(unit.data, true, &none) == Some(true));
        let ours: Vec<_> = begins.map(|unit| unit.at - unit.start_code.min(4)).chain([data.len()]).collect();
        let sizes =
            vector["units"].as_array().expect("units").iter().map(|unit| unit[0].as_u64().expect("a size") as usize);
        let theirs = running_sum(sizes);
        assert_eq!(ours, theirs, "{id}");
    }
}

/// Whether the scores of a format agree: sure where the reference scores 51, not sure elsewhere.
fn probes_agree(format: &Format, name: &str) {
    for (id, vector) in of_family("probe") {
        let sure = matches!((format.probe)(&hex(&vector["data"])), Score::Sure(_));
        assert_eq!(sure, vector["format"] == name && vector["score"] == 51, "{id} as {name}");
    }
}

#[test]
fn probes_are_sure_where_the_reference_is() {
    probes_agree(&formats::h264::FORMAT, "h264");
    probes_agree(&formats::h265::FORMAT, "hevc");
}

#[test]
fn every_vector_has_a_test() {
    // The families of audio are compared beside their parsers.
    const COMPARED: [&str; 6] = ["h264-split", "mp4toannexb", "probe", "adtstoasc", "adts-split", "mpa-split"];
    for vector in vectors() {
        assert!(COMPARED.contains(&family(&vector)), "{} is compared nowhere", vector["id"]);
    }
}
