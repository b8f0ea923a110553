//! Recorded answers of the reference's parsers and conversions, compared with ours (PAR-1…PAR-23, PAR-52, PAR-53).

use std::{env, fs, path::PathBuf};

use bytes::Bytes;
use maliu_core::syntax::h264;
use serde_json::Value;

/// The vectors, or nothing where they are not at hand.
fn vectors() -> Vec<Value> {
    let folder = env::var_os("MALIU_VECTORS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), PathBuf::from);
    let Ok(text) = fs::read_to_string(folder.join("parsers.jsonl")) else {
        println!("no vectors at {}: nothing compared", folder.display());
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).expect("a vector is JSON")).collect()
}

fn hex(value: &Value) -> Bytes {
    let text = value.as_str().unwrap_or_default().as_bytes();
    let digit = |c: u8| (c as char).to_digit(16).expect("hex") as u8;
    text.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect::<Vec<_>>().into()
}

fn family(vector: &Value) -> &str {
    vector["id"].as_str().and_then(|id| id.rsplit_once('-')).expect("an id ends in a number").0
}

/// The vectors of one family, with their ids.
fn of_family(name: &str) -> Vec<(String, Value)> {
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
