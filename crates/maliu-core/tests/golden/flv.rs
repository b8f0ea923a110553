//! What our FLV muxer does where it does not follow the reference: the recorded file, changed as decided, is ours.

use super::{case::Case, file::File, run::Outcome};

/// FLV-10: a stream with codec tag 5.
pub fn has_tag_5(case: &Case) -> bool {
    let five = |stream: &serde_json::Value| stream["codec"] == "vp6a" || stream["codec_tag"] == 5;
    case.muxer == "flv" && started(case) && case.json["streams"].as_array().into_iter().flatten().any(five)
}

/// The empty audio tag is left out, all stream ids are 0.
pub fn stream_id_is_always_0(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let mut expected = recorded(case)?;
    expected.drain(13..28);
    let mut at = 13;
    while let Some(length) = tag_length(&expected, at) {
        expected[at + 8..at + 11].fill(0);
        at += length;
    }
    set_number(&mut expected, "filesize", |_, size| size);
    equal(&outcome.file.bytes, &expected)
}

/// FLV-44, FLV-18: an output that cannot seek, but whose buffer still holds the header when it is patched, or is too
/// small for the header.
pub fn patches_a_buffer(case: &Case) -> bool {
    let (buffer, keeps) = (case.json["io"]["bufsize"].as_u64(), case.option("flush_packets") == "0");
    case.muxer == "flv" && started(case) && !case.seekable() && (keeps || buffer < Some(1024))
}

/// Duration and file size keep their first values, and every tag says its size.
pub fn what_cannot_be_patched_stays(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let ours = &outcome.file.bytes;
    let mut at = 13;
    while let Some(length) = tag_length(ours, at) {
        at += length;
    }
    if at != ours.len() {
        return Err(format!("no whole tag at {at}"));
    }
    // Where the buffer was too small for the header, the reference's patches stand among the tags.
    let (true, Ok(mut expected)) = (case.json["io"]["bufsize"].as_u64() >= Some(1024), recorded(case)) else {
        return Ok(());
    };
    set_number(&mut expected, "duration", |_, _| 0.0);
    set_number(&mut expected, "filesize", |_, _| 0.0);
    equal(ours, &expected)
}

/// FLV-41: a packet whose pts is unknown reaches a muxer that does not refuse it.
pub fn pts_is_unknown(case: &Case) -> bool {
    let mut sent = case.steps.iter().flat_map(|step| step.events(&["mux"]));
    case.muxer == "flv" && started(case) && case.seekable() && sent.any(|event| event[2].is_null() && event[9] == 0)
}

/// The duration does not wrap; with the reference's wrapped one the file is the recorded one.
pub fn duration_does_not_wrap(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let time = |value: &serde_json::Value| value.as_i64().unwrap_or(i64::MIN);
    let (mut delay, mut duration) = (i64::MIN, 0);
    for event in case.steps.iter().flat_map(|step| step.events(&["mux"])).filter(|event| event[9] == 0) {
        if delay == i64::MIN {
            delay = time(&event[3]).wrapping_neg();
        }
        duration = duration.max(time(&event[2]).wrapping_add(delay).wrapping_add(time(&event[4])));
    }
    let mut file = File { bytes: outcome.file.bytes.clone(), ..File::default() };
    set_number(&mut file.bytes, "duration", |_, _| duration as f64 / 1000.0);
    if file.sha256() == case.json["sha256"].as_str().unwrap_or_default() { Ok(()) } else { Err("more differs".into()) }
}

/// FLV-46.
pub fn index_without_metadata(case: &Case) -> bool {
    let flags = case.option("flvflags");
    case.muxer == "flv" && flags.contains("+no_metadata") && flags.contains("+add_keyframe_index")
}

/// Before the first byte.
pub fn it_is_refused(_: &Case, outcome: &Outcome) -> Result<(), String> {
    if outcome.started || !outcome.file.bytes.is_empty() { Err("it was started".into()) } else { Ok(()) }
}

/// FLV-48: a packet refused after its type byte was written: too large, or AAC with ADTS headers at the start.
pub fn refuses_a_packet(case: &Case) -> bool {
    let refused = |step: &super::case::Step| {
        let adts = case.option("fflags").contains("-autobsf")
            && step.op["pre"].as_str().is_some_and(|pre| pre.starts_with("fff"));
        step.result["ret"].as_i64() < Some(0) && (step.op["size"].as_u64() >= Some((1 << 24) - 16) || adts)
    };
    case.muxer == "flv" && started(case) && case.steps.iter().any(refused)
}

/// The stray bytes are not there.
pub fn a_refused_packet_leaves_nothing(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let Ok(theirs) = recorded(case) else {
        let refused = case.steps.iter().filter(|step| step.result["ret"].as_i64() < Some(0)).count();
        let size = case.json["size"].as_u64().unwrap_or(0) as usize;
        return if outcome.file.bytes.len() + refused == size {
            Ok(())
        } else {
            Err(format!("not {refused} bytes less"))
        };
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
    equal(&outcome.file.bytes, &expected)
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
