//! The buffered I/O contexts against what FFmpeg 5.1 did: every read, write and probe vector, call for call.
//!
//! All vectors are run with `Errors::Sticky`, FFmpeg's way. The behaviour of `Errors::Once` is tested by tests/avio.rs
//! of maliu (rows IO-4, IO-19 and IO-20 of the differences).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use maliu::avio::{BufferedReader, BufferedWriter, Code, Errors, Label, Probed, Whence};
use serde_json::{Value, json};

use super::recorder::adler32;

/// The cases whose id starts with `kind`.
fn vectors(kind: &str) -> Vec<Value> {
    super::vectors("io.jsonl").into_iter().filter(|case| case["id"].as_str().unwrap().starts_with(kind)).collect()
}

/// Calls of the callbacks and their answers since the last take.
type Log = Arc<Mutex<Vec<Value>>>;

fn taken(log: &Log) -> Vec<Value> {
    std::mem::take(&mut *log.lock().unwrap())
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn size(value: &Value) -> usize {
    usize::try_from(int(value)).unwrap()
}

fn yes(value: &Value) -> bool {
    int(value) != 0
}

fn number<T: Into<i64>>(result: Result<T, Code>) -> i64 {
    result.map_or_else(|code| code.0.into(), Into::into)
}

fn count(result: Result<usize, Code>) -> i64 {
    number(result.map(|n| n as i64))
}

fn whence_number(whence: Whence) -> i64 {
    match whence {
        Whence::Set => 0,
        Whence::Cur => 1,
        Whence::End => 2,
        Whence::Size => 65536,
    }
}

/// Compares one operation's outcome with the recorded one.
fn same(case: &Value, index: usize, op: &Value, got: Value) {
    for (key, value) in got.as_object().unwrap() {
        let expected = op.get(key).cloned().unwrap_or(if key == "ev" { json!([]) } else { Value::Null });
        assert_eq!(*value, expected, "{} op {index} {op}: {key}", case["id"]);
    }
}

/// The recorded seeks that the callback refused: offset, whence, code.
struct Refusals(Vec<(i64, i64, i64)>);

fn refusals(case: &Value) -> Refusals {
    let ops = case["ops"].as_array().into_iter().flatten();
    let events = ops.flat_map(|op| op["ev"].as_array().into_iter().flatten());
    let seeks = events.filter(|event| event[0] == "seek" && event[3].as_i64() < Some(0));
    Refusals(seeks.map(|seek| (int(&seek[1]), int(&seek[2]), int(&seek[3]))).collect())
}

impl Refusals {
    /// The code with which a place before the start is refused: the recorded one, if that seek was recorded.
    fn code(&self, offset: i64, whence: Whence) -> Code {
        let known = self.0.iter().find(|refusal| (refusal.0, refusal.1) == (offset, whence_number(whence)));
        known.map_or(Code::EINVAL, |refusal| Code(refusal.2 as i32))
    }
}

/// A source of `bytes` whose reads follow a schedule of limits and errors.
fn reader(case: &Value, capacity: usize, bytes: Vec<u8>, schedule: Vec<i64>, log: &Log) -> BufferedReader {
    let at = Arc::new(Mutex::new(0usize));
    let (bytes, mut schedule) = (Arc::new(bytes), schedule.into_iter());
    let (len, no_size) = (bytes.len() as i64, case.get("no_size").is_some_and(yes));
    let (note, place) = (log.clone(), at.clone());
    let mut reader = BufferedReader::new(capacity, move |into| {
        let mut at = place.lock().unwrap();
        let left = bytes.get(*at..).unwrap_or_default();
        let limit = schedule.next().unwrap_or(i64::MAX);
        let result = match u64::try_from(limit) {
            Err(_) => Err(Code(limit as i32)),
            Ok(_) if left.is_empty() => Err(Code::EOF),
            Ok(limit) => {
                let got = into.len().min(left.len()).min(usize::try_from(limit).unwrap_or(usize::MAX));
                into[..got].copy_from_slice(&left[..got]);
                *at += got;
                Ok(got)
            }
        };
        note.lock().unwrap().push(json!(["rd", into.len(), count(result)]));
        result
    });
    if yes(&case["seek_callback"]) {
        let note = log.clone();
        let refusals = refusals(case);
        reader = reader.with_seek(move |offset, whence| {
            let to = match whence {
                Whence::Size if no_size => Err(Code::ENOSYS),
                Whence::Size => Ok(len),
                Whence::End => Ok(len + offset),
                _ => Ok(offset),
            };
            let result = to.and_then(|to| if to < 0 { Err(refusals.code(offset, whence)) } else { Ok(to) });
            if let (Ok(to), false) = (result, whence == Whence::Size) {
                *at.lock().unwrap() = usize::try_from(to).unwrap();
            }
            note.lock().unwrap().push(json!(["seek", offset, whence_number(whence), number(result)]));
            result
        });
    }
    reader.set_seekable(yes(&case["seekable"]));
    reader.set_direct(yes(&case["direct"]));
    reader.set_max_packet(size(&case["max_packet"]));
    reader.set_errors(Errors::Sticky);
    reader
}

fn reader_state(reader: &BufferedReader) -> Value {
    let (before, behind) = reader.buffered();
    let error = reader.error().map_or(0, |code| code.0);
    json!([reader.tell(), reader.position(), i32::from(reader.eof_reached()), error, before, behind])
}

fn read_op(reader: &mut BufferedReader, op: &Value) -> Value {
    let n = op.get("n").map_or(0, int);
    let mut into = vec![0; usize::try_from(n).unwrap_or(0)];
    let bytes = |result: Result<usize, Code>, into: &[u8]| match result {
        Ok(got) if got > 0 => json!({"ret": got, "adler": adler32(&into[..got])}),
        result => json!({"ret": count(result)}),
    };
    match op["op"].as_str().unwrap() {
        "read" => {
            let result = reader.read(&mut into);
            bytes(result, &into)
        }
        // A negative size does not exist here: the type of the argument refuses it.
        "read_partial" if n < 0 => json!({"ret": Code::EINVAL.0}),
        "read_partial" => {
            let result = reader.read_partial(&mut into);
            bytes(result, &into)
        }
        "r8" => json!({"ret": reader.r8()}),
        "rb32" => json!({"ret": reader.rb32()}),
        "feof" => json!({"ret": i32::from(reader.feof())}),
        "size" => json!({"ret": number(reader.size())}),
        "seek" => {
            let whence = match int(&op["whence"]) {
                0 => Whence::Set,
                1 => Whence::Cur,
                65536 => Whence::Size,
                // Other numbers do not exist here; all are refused as the end is.
                _ => Whence::End,
            };
            json!({"ret": number(reader.seek(int(&op["off"]), whence))})
        }
        other => panic!("no operation is called {other}"),
    }
}

#[test]
fn reading_does_what_the_reference_does() {
    for case in vectors("read-") {
        let bytes = (0..size(&case["len"])).map(|i| (i * 7 + (i >> 8) * 13 + 3) as u8).collect();
        let schedule = case["schedule"].as_array().unwrap().iter().map(int).collect();
        let log = Log::default();
        let mut reader = reader(&case, size(&case["bufsize"]), bytes, schedule, &log);
        for (index, op) in case["ops"].as_array().unwrap().iter().enumerate() {
            let mut got = read_op(&mut reader, op);
            got["st"] = reader_state(&reader);
            got["ev"] = taken(&log).into();
            same(&case, index, op, got);
        }
    }
}

#[test]
fn probing_gives_back_what_the_reference_gives_back() {
    for case in vectors("probe-") {
        // Neither the most bytes to look at nor, for long inputs, the bytes are part of a case: the reference's score
        // is given for the look at which it was given, and one pair of both must reproduce every call and state.
        let pairs = limits(&case).into_iter().flat_map(|max| (1..=11).map(move |look| (max, look)));
        let mut outcomes = pairs.map(|(max, look)| probe(&case, max, look));
        assert!(outcomes.any(|got| got == expected_probe(&case)), "{case:#}");
    }
}

/// Limits of probing that a case can tell apart: none, the smallest, and where its reads ended or were to end.
fn limits(case: &Value) -> BTreeSet<usize> {
    let (mut limits, mut total) = (BTreeSet::from([0, 2048]), 0);
    for event in case["probe"]["ev"].as_array().into_iter().flatten() {
        limits.insert(total + size(&event[1]));
        total += usize::try_from(int(&event[2])).unwrap_or(0);
        limits.insert(total);
    }
    limits.retain(|limit| *limit == 0 || *limit >= 2048);
    limits
}

fn expected_probe(case: &Value) -> Value {
    let after = &case["after"];
    let events = |op: &Value| op.get("ev").cloned().unwrap_or(json!([]));
    let probe = &case["probe"];
    json!([case["ret"], case["bufsize"], probe["st"], events(probe), after["ret"], after["st"], events(after)])
}

/// Result, capacity, state and calls of probing, then the same of reading on.
fn probe(case: &Value, max: usize, look: usize) -> Value {
    let schedule = match int(&case["short"]) {
        0 => Vec::new(),
        limit => vec![limit; 10_000],
    };
    let (log, bytes) = (Log::default(), vec![0; size(&case["len"])]);
    let mut reader = reader(case, size(&case["bufsize_before"]), bytes, schedule, &log);
    let (mut looks, best) = (0, u32::try_from(int(&case["ret"])).ok());
    let result = reader.probe(max, |bytes, padded| {
        looks += 1;
        assert_eq!(padded.len(), bytes.len() + 32);
        best.filter(|_| looks == look).map(|score| Probed { format: (), score })
    });
    let score = number(result.map(|probed| i64::from(probed.score)));
    let (capacity, state, events) = (reader.capacity(), reader_state(&reader), taken(&log));
    let after = read_op(&mut reader, &case["after"]);
    json!([score, capacity, state, events, after["ret"], reader_state(&reader), taken(&log)])
}

fn writer(case: &Value, log: &Log, file: &Arc<Mutex<(Vec<u8>, usize)>>) -> BufferedWriter {
    let (note, place) = (log.clone(), file.clone());
    let (typed, fail_after) = (yes(&case["typed"]), int(&case["fail_after"]));
    let write = move |bytes: &[u8], label: Label, time: Option<i64>| {
        let mut file = place.lock().unwrap();
        let at = file.1;
        let fails = fail_after >= 0 && (at + bytes.len()) as i64 > fail_after;
        if !fails {
            let needed = file.0.len().max(at + bytes.len());
            file.0.resize(needed, 0);
            file.0[at..at + bytes.len()].copy_from_slice(bytes);
            file.1 += bytes.len();
        }
        let last = if fails { json!(Code::EIO.0) } else { json!(adler32(bytes)) };
        let label = format!("{label:?}").to_lowercase();
        let event = match typed {
            true => json!(["tout", label, time, bytes.len(), at, last]),
            false => json!(["out", bytes.len(), at, last]),
        };
        note.lock().unwrap().push(event);
        if fails { Err(Code::EIO) } else { Ok(()) }
    };
    let capacity = size(&case["bufsize"]);
    let mut writer = match typed {
        true => BufferedWriter::typed(capacity, write),
        false => BufferedWriter::new(capacity, move |bytes| write(bytes, Label::Unknown, None)),
    };
    if yes(&case["seek_callback"]) {
        let (note, place, refusals) = (log.clone(), file.clone(), refusals(case));
        writer = writer.with_seek(move |offset, whence| {
            let mut file = place.lock().unwrap();
            let result = match (whence, usize::try_from(offset)) {
                (Whence::Size, _) => Ok(file.0.len() as i64),
                (_, Ok(at)) => {
                    file.1 = at;
                    Ok(offset)
                }
                (_, Err(_)) => Err(refusals.code(offset, whence)),
            };
            note.lock().unwrap().push(json!(["seek", offset, whence_number(whence), number(result)]));
            result
        });
    }
    writer.set_direct(yes(&case["direct"]));
    writer.set_min_packet(size(&case["min_packet"]));
    writer.set_ignore_boundary(yes(&case["ignore_boundary"]));
    writer.set_errors(Errors::Sticky);
    writer
}

fn write_op(writer: &mut BufferedWriter, op: &Value) -> Value {
    let done = |result: Result<(), Code>| {
        assert_eq!(result, Ok(()), "sticky errors are not returned");
        json!({})
    };
    match op["op"].as_str().unwrap() {
        "write" => {
            let bytes: Vec<u8> = (0..int(&op["n"])).map(|i| (int(&op["b0"]) + i) as u8).collect();
            done(writer.write(&bytes))
        }
        "w8" => done(writer.w8(int(&op["v"]) as u8)),
        "wb32" => done(writer.wb32(int(&op["v"]) as u32)),
        "flush" => done(writer.flush()),
        "size" => json!({"ret": number(writer.size())}),
        "seek" => json!({"ret": number(writer.seek(int(&op["off"]), Whence::Set))}),
        "marker" => {
            let time = op["time"].as_i64();
            done(match op["kind"].as_str().unwrap() {
                "flush" => writer.flush_point(),
                "header" => writer.marker(Label::Header, time),
                "sync" => writer.marker(Label::Sync, time),
                "boundary" => writer.marker(Label::Boundary, time),
                "unknown" => writer.marker(Label::Unknown, time),
                "trailer" => writer.marker(Label::Trailer, time),
                other => panic!("no marker is called {other}"),
            })
        }
        other => panic!("no operation is called {other}"),
    }
}

#[test]
fn writing_does_what_the_reference_does() {
    for case in vectors("write-") {
        let (log, file) = (Log::default(), Arc::default());
        let mut writer = writer(&case, &log, &file);
        for (index, op) in case["ops"].as_array().unwrap().iter().enumerate() {
            let mut got = write_op(&mut writer, op);
            let error = writer.error().map_or(0, |code| code.0);
            // The reference notes its highest byte only at seeks and flushes.
            let recorded = &op["st"];
            let high = int(&recorded[3]).max(int(&recorded[4]));
            assert_eq!(writer.high() as i64, high, "{} op {index} {op}: high", case["id"]);
            got["st"] = json!([writer.tell(), writer.position(), error, writer.pending(), recorded[4]]);
            got["ev"] = taken(&log).into();
            same(&case, index, op, got);
        }
        let _ = writer.flush();
        drop(writer);
        let file = &file.lock().unwrap().0;
        assert_eq!((json!(file.len()), json!(adler32(file))), (case["size"].clone(), case["adler"].clone()), "{case}");
    }
}

#[test]
fn every_io_vector_is_of_a_kind_that_is_compared() {
    for case in super::vectors("io.jsonl") {
        let id = case["id"].as_str().unwrap();
        assert!(["read-", "write-", "probe-"].iter().any(|kind| id.starts_with(kind)), "{id} is compared nowhere");
    }
}
