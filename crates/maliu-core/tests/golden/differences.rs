//! The cases in which the project decided to differ from the reference, by rule, and what it does instead.

use super::{case::Case, flv, run::Outcome};

/// A decided difference.
struct Difference {
    rule: &'static str,
    /// Whether the case contains what the rule is about.
    concerns: fn(&Case) -> bool,
    /// Whether more than the output differs.
    packets: bool,
    /// Our behaviour in such a case.
    ours: fn(&Case, &Outcome) -> Result<(), String>,
}

const ALL: &[Difference] = &[
    Difference { rule: "FLV-10", concerns: flv::has_tag_5, packets: false, ours: flv::stream_id_is_always_0 },
    Difference { rule: "FLV-33", concerns: adts_comes_late, packets: true, ours: late_adts_is_converted },
    Difference { rule: "FLV-41", concerns: flv::pts_is_unknown, packets: false, ours: flv::duration_does_not_wrap },
    Difference {
        rule: "FLV-18",
        concerns: flv::buffer_is_too_small,
        packets: false,
        ours: flv::every_tag_says_its_size,
    },
    Difference { rule: "FLV-46", concerns: flv::index_without_metadata, packets: true, ours: flv::it_is_refused },
    Difference {
        rule: "FLV-48",
        concerns: flv::refuses_a_packet,
        packets: false,
        ours: flv::a_refused_packet_leaves_nothing,
    },
];

/// The rule by which a case differs, if one does, and the faults it is left with.
pub(crate) fn judge(case: &Case, outcome: &Outcome) -> (Option<&'static str>, Vec<String>) {
    let Some(difference) = ALL.iter().find(|difference| (difference.concerns)(case)) else {
        return (None, [&outcome.faults[..], &outcome.output_faults].concat());
    };
    let mut faults = if difference.packets { Vec::new() } else { outcome.faults.clone() };
    faults.extend((difference.ours)(case, outcome).err().map(|fault| format!("{}: {fault}", difference.rule)));
    (Some(difference.rule), faults)
}

fn is_adts(data: &[u8]) -> bool {
    data.len() > 2 && data[0] == 0xff && data[1] & 0xf0 == 0xf0
}

/// AAC into FLV whose first packet is bare and a later one has an ADTS header.
fn adts_comes_late(case: &Case) -> bool {
    let aac = case.json["streams"].as_array().into_iter().flatten().position(|stream| stream["codec"] == "aac");
    let Some(aac) = aac.filter(|_| case.muxer == "flv" && !case.option("fflags").contains("-autobsf")) else {
        return false;
    };
    let packets = case.steps.iter().filter(|step| step.op.get("size").is_some()).map(|step| step.packet());
    let mut ours = packets.filter(|packet| packet.stream == aac && packet.data.len() > 2);
    ours.next().is_some_and(|first| !is_adts(&first.data)) && ours.any(|packet| is_adts(&packet.data))
}

/// It loses its header like an early one, and everything else is as recorded.
fn late_adts_is_converted(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let recorded = case.steps.iter().flat_map(|step| step.events(&["mux"]));
    let sent: Vec<_> =
        case.steps.iter().filter(|step| step.op.get("size").is_some()).map(|step| step.packet()).collect();
    for (ours, theirs) in outcome.reached.iter().zip(recorded) {
        let adler = theirs[8].as_u64().unwrap() as u32;
        let packet = sent.iter().find(|packet| super::recorder::adler32(&packet.data) == adler);
        let cut = packet.is_some_and(|packet| is_adts(&packet.data)) as u64 * 7;
        let size = theirs[5].as_u64().unwrap() - cut;
        if ours[5].as_u64() != Some(size) || (1..=4).any(|field| ours[field] != theirs[field]) {
            return Err(format!("{ours} for {theirs}"));
        }
    }
    Ok(())
}
