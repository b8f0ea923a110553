//! Our FLV muxer where it does not follow the reference: the recorded file, changed as decided, is ours.

use super::{
    case::Case,
    run::{Outcome, sha256},
};

/// FLV-10: a stream with codec tag 5.
pub(crate) fn has_tag_5(case: &Case) -> bool {
    let five = |stream: &serde_json::Value| stream["codec"] == "vp6a" || stream["codec_tag"] == 5;
    case.muxer == "flv" && started(case) && case.json["streams"].as_array().into_iter().flatten().any(five)
}

/// The empty audio tag is left out, all stream ids are 0.
pub(crate) fn stream_id_is_always_0(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let mut expected = recorded(case)?;
    expected.drain(13..28);
    let mut at = 13;
    while let Some(length) = tag_length(&expected, at) {
        expected[at + 8..at + 11].fill(0);
        at += length;
    }
    set_number(&mut expected, "filesize", |_, size| size);
    equal(&outcome.bytes, &expected)
}

/// FLV-18: an output that cannot seek and whose buffer has let go of the header before its sizes and counts are patched.
pub(crate) fn buffer_is_too_small(case: &Case) -> bool {
    let size = case.json["io"]["bufsize"].as_u64();
    let full = |step: &super::case::Step| step.events(&["out"]).any(|event| event[3].as_u64() == size);
    let header = case.steps.iter().find(|step| step.name() == "header");
    case.muxer == "flv" && started(case) && !case.seekable() && header.is_some_and(full)
}

/// The reference's patches land among the tags; ours are where they belong, so that every tag says its size.
pub(crate) fn every_tag_says_its_size(_: &Case, outcome: &Outcome) -> Result<(), String> {
    let (ours, mut at) = (&outcome.bytes, 13);
    while let Some(length) = tag_length(ours, at) {
        at += length;
    }
    if at == ours.len() { Ok(()) } else { Err(format!("no whole tag at {at}")) }
}

/// FLV-41: a packet whose pts is unknown reaches a muxer that does not refuse it.
pub(crate) fn pts_is_unknown(case: &Case) -> bool {
    let mut sent = case.steps.iter().flat_map(|step| step.events(&["mux"]));
    case.muxer == "flv" && started(case) && case.seekable() && sent.any(|event| event[2].is_null() && event[9] == 0)
}

/// The duration does not wrap; with the reference's wrapped one the file is the recorded one.
pub(crate) fn duration_does_not_wrap(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let time = |value: &serde_json::Value| value.as_i64().unwrap_or(i64::MIN);
    let (mut delay, mut duration) = (i64::MIN, 0);
    for event in case.steps.iter().flat_map(|step| step.events(&["mux"])).filter(|event| event[9] == 0) {
        if delay == i64::MIN {
            delay = time(&event[3]).wrapping_neg();
        }
        duration = duration.max(time(&event[2]).wrapping_add(delay).wrapping_add(time(&event[4])));
    }
    let mut bytes = outcome.bytes.clone();
    set_number(&mut bytes, "duration", |_, _| duration as f64 / 1000.0);
    if sha256(&bytes) == case.json["sha256"].as_str().unwrap_or_default() { Ok(()) } else { Err("more differs".into()) }
}

/// FLV-46.
pub(crate) fn index_without_metadata(case: &Case) -> bool {
    let flags = case.option("flvflags");
    case.muxer == "flv" && flags.contains("+no_metadata") && flags.contains("+add_keyframe_index")
}

/// Before the first byte.
pub(crate) fn it_is_refused(_: &Case, outcome: &Outcome) -> Result<(), String> {
    if outcome.started || !outcome.bytes.is_empty() { Err("it was started".into()) } else { Ok(()) }
}

/// FLV-48: a packet refused after its type byte was written: too large, or AAC with ADTS headers at the start.
pub(crate) fn refuses_a_packet(case: &Case) -> bool {
    let refused = |step: &super::case::Step| {
        let adts = case.option("fflags").contains("-autobsf")
            && step.op["pre"].as_str().is_some_and(|pre| pre.starts_with("fff"));
        step.result["ret"].as_i64() < Some(0) && (step.op["size"].as_u64() >= Some((1 << 24) - 16) || adts)
    };
    case.muxer == "flv" && started(case) && case.steps.iter().any(refused)
}

/// The stray bytes are not there.
pub(crate) fn a_refused_packet_leaves_nothing(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let Ok(theirs) = recorded(case) else {
        let refused = case.steps.iter().filter(|step| step.result["ret"].as_i64() < Some(0)).count();
        let size = case.json["size"].as_u64().unwrap_or(0) as usize;
        return if outcome.bytes.len() + refused == size { Ok(()) } else { Err(format!("not {refused} bytes less")) };
    };
    let mut expected = Vec::new();
    expected.extend_from_slice(&theirs[..13]);
    let mut at = 13;
    while at < theirs.len() {
        match tag_length(&theirs, at) {
            Some(length) => {
                expected.extend_from_slice(&theirs[at..at + length]);
                at += length;
            }
            None => at += 1,
        }
    }
    set_number(&mut expected, "filesize", |_, size| size);
    equal(&outcome.bytes, &expected)
}

fn started(case: &Case) -> bool {
    case.header()["ret"].as_i64() >= Some(0)
}

fn recorded(case: &Case) -> Result<Vec<u8>, String> {
    let name = case.json["file"].as_str().ok_or("no recorded file")?;
    std::fs::read(case.folder.join("flv").join(name)).map_err(|error| format!("{name}: {error}"))
}

/// Length of the tag at `at` with the size behind it; `None` when that size is not right.
fn tag_length(bytes: &[u8], at: usize) -> Option<usize> {
    let [_, s2, s1, s0] = *bytes.get(at..)?.first_chunk()?;
    let length = u32::from_be_bytes([0, s2, s1, s0]) as usize + 11;
    let behind = bytes.get(at + length..)?.first_chunk()?;
    (u32::from_be_bytes(*behind) as usize == length).then_some(length + 4)
}

/// Sets the number of this name in onMetaData to what `value` makes of the old one and the file's length.
fn set_number(bytes: &mut [u8], name: &str, value: impl Fn(f64, f64) -> f64) {
    let length = bytes.len() as f64;
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes());
    if let Some(place) = at.and_then(|at| bytes.get_mut(at + name.len() + 1..)?.first_chunk_mut::<8>()) {
        *place = value(f64::from_be_bytes(*place), length).to_be_bytes();
    }
}

fn equal(ours: &[u8], expected: &[u8]) -> Result<(), String> {
    let at = ours.iter().zip(expected).position(|(a, b)| a != b);
    match at {
        Some(at) => Err(format!("different from byte {at}")),
        None if ours.len() != expected.len() => Err(format!("{} bytes, not {}", ours.len(), expected.len())),
        None => Ok(()),
    }
}
