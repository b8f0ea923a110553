//! What only shows in the tags of an FLV file: its index and promises, configurations that come late or again, a tail of
//! zeros. Fed with the bytes of the file in order; it follows DataSize and stops judging where no tag stands.

use maliu::syntax::amf::{Cursor, Value, amf0};

use super::fault::{self, Fault, Kind};

/// Largest onMetaData and configuration that are looked into, in bytes.
const MAX_BODY: usize = 4 << 20;

/// Most key pictures that an index is held against.
const MAX_KEYS: usize = 1 << 20;

/// Bytes of a tag before its body.
const HEAD: usize = 11;

/// Bytes of a body that say what it is, with extensions in front of an enhanced one.
const START: usize = 32;

/// Tags of a file, as far as they follow each other.
#[derive(Default)]
pub struct Tags {
    /// Bytes seen and not yet understood.
    pending: Vec<u8>,
    /// Offset of the first of them.
    at: u64,
    /// Bytes of a tag that are not looked at.
    skip: u64,
    begun: bool,
    /// Where no tag was found, and whether only zeros were seen since.
    lost: Option<(u64, bool)>,
    metadata: Option<Value>,
    keys: Vec<Key>,
    /// Start of the configurations directly before the next tag.
    lead: Option<u64>,
    configs: Vec<Config>,
    first: Option<u32>,
    last: u32,
    /// Latest time at which a picture is shown.
    shown: u32,
    gap: u32,
}

/// A key picture.
struct Key {
    /// Offset of its tag, and of the configurations directly before it.
    at: u64,
    lead: u64,
    time: u32,
}

/// What is known of the configuration of one codec.
struct Config {
    /// Tag type and the bytes that name the codec.
    codec: (u8, [u8; 4]),
    body: Option<Vec<u8>>,
    /// First packet that came before it.
    early: Option<(u64, u32)>,
    /// First time it came again, and how often it did.
    again: Option<(u64, u32, u64)>,
}

impl Tags {
    /// Bytes that stand at `at`. Those seen before are passed over.
    pub fn see(&mut self, at: u64, bytes: &[u8]) {
        let fed = self.at + self.pending.len() as u64 + self.skip;
        let Some(known) = fed.checked_sub(at) else {
            self.lost = self.lost.or(Some((fed, false)));
            return;
        };
        let fresh = bytes.get(usize::try_from(known).unwrap_or(usize::MAX)..).unwrap_or_default();
        if let Some((_, zeros)) = &mut self.lost {
            *zeros &= fresh.iter().all(|byte| *byte == 0);
            self.at += fresh.len() as u64;
            return;
        }
        self.pending.extend_from_slice(fresh);
        while self.lost.is_none() && self.step() {}
        if let Some((_, zeros)) = &mut self.lost {
            *zeros = self.pending.iter().all(|byte| *byte == 0);
            self.at += self.pending.len() as u64;
            self.pending.clear();
        }
    }

    /// Understands one tag, or passes over the rest of one; false when more bytes are needed.
    fn step(&mut self) -> bool {
        if self.skip > 0 {
            let now = self.skip.min(self.pending.len() as u64);
            self.forget(now as usize);
            self.skip -= now;
            return self.skip == 0 && !self.pending.is_empty();
        }
        if !self.begun {
            let Some(header) = self.pending.get(..9) else { return false };
            let size = header.last_chunk().map_or(9, |size| u32::from_be_bytes(*size));
            if !header.starts_with(b"FLV") || size < 9 {
                self.lost = Some((0, false));
                return false;
            }
            (self.begun, self.skip) = (true, u64::from(size) + 4);
            return true;
        }
        let Some(&[kind, s2, s1, s0, t2, t1, t0, t3, ..]) = self.pending.first_chunk::<HEAD>() else { return false };
        if !matches!(kind, 8 | 9 | 18) {
            self.lost = Some((self.at, false));
            return false;
        }
        let (size, time) = (u32::from_be_bytes([0, s2, s1, s0]) as usize, u32::from_be_bytes([t3, t2, t1, t0]));
        let Some(start) = self.pending.get(HEAD..HEAD + size.min(START)) else { return false };
        let what = What::of(kind, start);
        let wanted = match what {
            What::Script if self.metadata.is_none() => size,
            What::Config(_) => size,
            _ => 0,
        };
        if wanted <= MAX_BODY {
            let Some(body) = self.pending.get(HEAD..HEAD + wanted) else { return false };
            self.note(&what, kind, time, body.to_vec());
        }
        self.skip = (HEAD + size + 4) as u64;
        true
    }

    fn forget(&mut self, bytes: usize) {
        self.pending.drain(..bytes);
        self.at += bytes as u64;
    }

    fn note(&mut self, what: &What, kind: u8, time: u32, body: Vec<u8>) {
        if !matches!(what, What::Script) {
            self.first.get_or_insert(time);
            self.gap = self.gap.max(time.saturating_sub(self.last.max(self.first.unwrap_or(0))));
            self.last = self.last.max(time);
        }
        if let What::Packet { later, .. } = what {
            self.shown = self.shown.max(time.saturating_add_signed(*later));
        }
        let lead = self.lead.unwrap_or(self.at);
        match what {
            What::Script if self.metadata.is_none() => self.metadata = on_metadata(&body),
            What::Config(codec) => self.config(kind, *codec, time, body),
            What::Packet { codec: Some(codec), .. } => {
                let at = self.at;
                let config = self.config_of(kind, *codec);
                if config.body.is_none() {
                    config.early.get_or_insert((at, time));
                }
            }
            _ => {}
        }
        if matches!(what, What::Packet { key: true, .. }) && self.keys.len() < MAX_KEYS {
            self.keys.push(Key { at: self.at, lead, time });
        }
        self.lead = matches!(what, What::Script | What::Config(_) | What::Colors).then_some(lead);
    }

    fn config_of(&mut self, kind: u8, codec: [u8; 4]) -> &mut Config {
        let codec = (kind, codec);
        let known = self.configs.iter().position(|config| config.codec == codec);
        let index = known.unwrap_or_else(|| {
            self.configs.push(Config { codec, body: None, early: None, again: None });
            self.configs.len() - 1
        });
        &mut self.configs[index]
    }

    fn config(&mut self, kind: u8, codec: [u8; 4], time: u32, body: Vec<u8>) {
        let at = self.at;
        let config = self.config_of(kind, codec);
        if config.body.as_ref() == Some(&body) {
            config.again.get_or_insert((at, time, 0)).2 += 1;
        }
        config.body = Some(body);
    }

    /// What is wrong, at the end of a file of `size` bytes.
    pub fn judge(&self, size: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !self.begun {
            return faults;
        }
        let mut add = |kind: Kind, at: Option<u64>, time: Option<u32>, what: String| {
            let time = time.map(|time| f64::from(time) / 1000.0);
            faults.push(Fault { kind, at, time, stream: None, what });
        };
        for config in &self.configs {
            let name = if config.codec.0 == 8 { "sound" } else { "picture" };
            if let (Some((at, time)), Some(_)) = (config.early, &config.body) {
                add(fault::LATE_CONFIG, Some(at), Some(time), format!("a {name} comes before its sequence header"));
            }
            if let Some((at, time, times)) = config.again {
                let what = format!("the same {name} sequence header comes again, {times} times in all");
                add(fault::REPEATED_CONFIG, Some(at), Some(time), what);
            }
        }
        if let Some((at, true)) = self.lost.filter(|(at, _)| *at < size) {
            add(fault::ZERO_TAIL, Some(at), None, format!("the last {} bytes are zero", size - at));
        }
        match self.duration() {
            Promise::Missing => add(fault::NO_DURATION, None, None, "onMetaData says no duration".to_owned()),
            Promise::Wrong(said, found) if self.whole() => add(
                fault::BAD_DURATION,
                None,
                None,
                format!("onMetaData says {said:.3} s, the tags end at {found:.3} s"),
            ),
            _ => {}
        }
        match self.number("filesize") {
            Some(said) if said > 0.0 && said != size as f64 => {
                add(fault::BAD_FILESIZE, None, None, format!("onMetaData says {said} bytes, there are {size}"))
            }
            _ => {}
        }
        match self.metadata.as_ref().and_then(|metadata| metadata.member("keyframes")) {
            Some(index) => {
                if let Some((at, time, what)) = self.wrong_entry(index).filter(|_| self.whole()) {
                    add(fault::BAD_INDEX, at, time, what);
                }
            }
            None if self.keys.len() > 1 => {
                add(fault::NO_INDEX, None, None, format!("no index of the {} key pictures", self.keys.len()))
            }
            None => {}
        }
        faults
    }

    /// Whether tags follow each other to the end, but for zeros.
    fn whole(&self) -> bool {
        self.lost.is_none_or(|(_, zeros)| zeros) && self.keys.len() < MAX_KEYS
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.metadata.as_ref()?.member(name)?.number()
    }

    fn duration(&self) -> Promise {
        let seconds = |ms| f64::from(ms) / 1000.0;
        let (last, shown, first) = (seconds(self.last), seconds(self.shown), seconds(self.first.unwrap_or(0)));
        let said = match self.number("duration") {
            Some(said) if said > 0.0 => said,
            // A single picture has no length.
            Some(_) if last == first => return Promise::Kept,
            _ => return Promise::Missing,
        };
        // How long the last picture stays is not known: as long as any other, at most.
        let slack = (f64::from(self.gap) / 1000.0).max(said / 100.0).max(1.0);
        let fits = |end: &f64| [*end, end - first].iter().any(|length| (said - length).abs() <= slack);
        if [last, shown].iter().any(fits) { Promise::Kept } else { Promise::Wrong(said, last) }
    }

    /// The first entry of the index that leads nowhere: what it says, and what stands there.
    fn wrong_entry(&self, index: &Value) -> Option<(Option<u64>, Option<u32>, String)> {
        let (places, times) = (numbers(index.member("filepositions")), numbers(index.member("times")));
        if places.len() != times.len() {
            let what = format!("the index has {} places, but {} times", places.len(), times.len());
            return Some((None, None, what));
        }
        places.iter().zip(&times).enumerate().find_map(|(n, (place, time))| {
            let after = self.keys.partition_point(|key| (key.at as f64) < *place);
            let Some(key) = self.keys.get(after).filter(|key| key.lead as f64 <= *place) else {
                return Some((Some(*place as u64), None, format!("entry {n} of the index leads to no key picture")));
            };
            let found = f64::from(key.time) / 1000.0;
            let what = format!("entry {n} of the index says {time:.3} s where a picture of {found:.3} s stands");
            ((time - found).abs() > 1.0).then_some((Some(key.at), Some(key.time), what))
        })
    }
}

enum Promise {
    Missing,
    Kept,
    /// What was said and what was found, in seconds.
    Wrong(f64, f64),
}

/// What a tag is.
enum What {
    Script,
    Config([u8; 4]),
    /// Colour information of the picture that follows.
    Colors,
    Packet {
        key: bool,
        /// The codec, where it needs a configuration in a tag of its own.
        codec: Option<[u8; 4]>,
        /// How much later than its time it is shown, in ms.
        later: i32,
    },
}

impl What {
    /// From the tag's type and the start of its body (E.4.2.1, E.4.3.1; Enhanced RTMP v2).
    fn of(kind: u8, start: &[u8]) -> Self {
        let first = start.first().copied().unwrap_or(0);
        let second = start.get(1).copied().unwrap_or(0);
        let enhanced = if kind == 9 { first & 0x80 != 0 } else { kind == 8 && first >> 4 == 9 };
        let key = kind == 9 && first >> 4 & 7 == 1;
        let packet = |key, codec, later| Self::Packet { key, codec, later };
        match (kind, first & 0x0f) {
            (18, _) => Self::Script,
            _ if enhanced => Self::enhanced(key, start).unwrap_or(packet(false, None, 0)),
            (9, 7 | 12) => match second {
                0 => Self::Config([first & 0x0f, 0, 0, 0]),
                1 => packet(key, Some([first & 0x0f, 0, 0, 0]), signed(start.get(2..))),
                _ => packet(false, None, 0),
            },
            (8, _) if first >> 4 == 10 => match second {
                0 => Self::Config([10, 0, 0, 0]),
                _ => packet(key, Some([10, 0, 0, 0]), 0),
            },
            _ => packet(key, None, 0),
        }
    }

    /// Of a configuration or coded frames of the only track, behind any extensions.
    fn enhanced(key: bool, start: &[u8]) -> Option<Self> {
        let (&first, mut rest) = start.split_first()?;
        let mut packet = first & 0x0f;
        while packet == MOD_EX {
            let size = usize::from(*rest.first()?) + 1;
            let (&next, behind) = rest.get(1 + size..)?.split_first()?;
            (packet, rest) = (next & 0x0f, behind);
        }
        let codec = *rest.first_chunk()?;
        let needs = NEED_CONFIG.contains(&&codec).then_some(codec);
        let timed = matches!(&codec, b"avc1" | b"hvc1" | b"vvc1");
        match packet {
            0 => Some(Self::Config(codec)),
            4 => Some(Self::Colors),
            1 if timed => Some(Self::Packet { key, codec: needs, later: signed(rest.get(4..)) }),
            1 | 3 => Some(Self::Packet { key, codec: needs, later: 0 }),
            _ => None,
        }
    }
}

/// Packet type of an enhanced tag with an extension in front.
const MOD_EX: u8 = 7;

/// The 24 bits at the start of `bytes`, with a sign; 0 where there are fewer.
fn signed(bytes: Option<&[u8]>) -> i32 {
    let Some(&[b2, b1, b0, ..]) = bytes else { return 0 };
    i32::from_be_bytes([b2, b1, b0, 0]) >> 8
}

/// FourCCs whose packets cannot be decoded without a configuration.
const NEED_CONFIG: [&[u8; 4]; 4] = [b"avc1", b"hvc1", b"mp4a", b"Opus"];

fn on_metadata(body: &[u8]) -> Option<Value> {
    let mut cursor = Cursor::new(body);
    (amf0::read_text(&mut cursor)? == b"onMetaData").then(|| amf0::read(&mut cursor).value)
}

fn numbers(value: Option<&Value>) -> Vec<f64> {
    match value {
        Some(Value::Numbers(numbers)) => numbers.clone(),
        Some(Value::Array(values)) => values.iter().filter_map(Value::number).collect(),
        _ => Vec::new(),
    }
}
