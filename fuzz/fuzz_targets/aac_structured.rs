//! Access units that keep to the syntax of AAC wherever the fuzzer does not say otherwise, so that it gets past the parser.
#![no_main]

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
struct Plan {
    config: u8,
    drc: bool,
    units: Vec<(Vec<Element>, Option<u8>)>,
}

#[derive(Arbitrary, Debug)]
enum Element {
    Channels {
        pair: bool,
        tag: u8,
        shared: Option<(Info, u8)>,
        streams: [Stream; 2],
    },
    Coupling {
        tag: u8,
        independent: bool,
        point: bool,
        targets: Vec<(bool, u8, u8)>,
        gain: u8,
        stream: Stream,
    },
    /// Its first four bits say what it is: 11 gains, 13 and 14 SBR.
    Fill {
        kind: u8,
        payload: Vec<u8>,
    },
    Data(Vec<u8>),
    Program {
        front: Vec<(bool, u8)>,
        back: Vec<(bool, u8)>,
        coupling: bool,
    },
    Bits(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Info {
    sequence: u8,
    kbd: bool,
    bands: u8,
    grouping: u8,
    /// What follows predictor_data_present.
    prediction: Option<[u8; 8]>,
}

#[derive(Arbitrary, Debug)]
struct Stream {
    gain: u8,
    info: Info,
    /// Codebook and length of each section.
    sections: Vec<(u8, u8)>,
    pulse: Option<[u8; 4]>,
    tns: Option<Vec<(u8, u8, u8)>>,
    /// Bits that stand where zeros would be the lines of books 1 and 3.
    lines: Vec<u8>,
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: usize,
}

impl Bits {
    fn put(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((u64::from(value) >> bit.min(63) & 1) as u8) << self.free;
            }
        }
    }

    fn put_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.put(u32::from(*byte), 8));
    }

    fn info(&mut self, info: &Info) {
        self.put(u32::from(info.sequence & 3) << 1 | u32::from(info.kbd), 4);
        if info.sequence & 3 == 2 {
            self.put(u32::from(info.bands % 13), 4);
            self.put(u32::from(info.grouping), 7);
        } else {
            self.put(u32::from(info.bands % 41), 6);
            self.put(u32::from(info.prediction.is_some()), 1);
            self.put_all(info.prediction.as_ref().map_or(&[], |bits| &bits[..]));
        }
    }

    fn stream(&mut self, stream: &Stream, shared: Option<&Info>) {
        self.put(u32::from(stream.gain), 8);
        let info = shared.unwrap_or(&stream.info);
        if shared.is_none() {
            self.info(info);
        }
        let short = info.sequence & 3 == 2;
        let bands = usize::from(if short { info.bands % 13 } else { info.bands % 41 });
        let (width, escape) = if short { (3, 7) } else { (5, 31) };
        let groups = if short { 8 - (info.grouping & 0x7f).count_ones() as usize } else { 1 };
        let mut sections = stream.sections.iter().cycle();
        let mut books = Vec::new();
        for _ in 0..groups {
            let mut left = bands;
            while left > 0 {
                let (book, length) = sections.next().copied().unwrap_or((0, 255));
                let length = usize::from(length).clamp(1, left);
                self.put(u32::from(book & 15), 4);
                (0..length / escape).for_each(|_| self.put(escape as u32, width));
                self.put((length % escape) as u32, width);
                books.extend(std::iter::repeat_n(book & 15, length));
                left -= length;
            }
        }
        // Each scale factor is that of the band before: one bit of zero. The first noise is said in nine bits.
        let mut first_noise = true;
        for book in books.iter().filter(|book| **book != 0) {
            let said = *book == 13 && std::mem::take(&mut first_noise);
            self.put(if said { 256 } else { 0 }, if said { 9 } else { 1 });
        }
        self.put(u32::from(stream.pulse.is_some()), 1);
        self.put_all(stream.pulse.as_ref().map_or(&[], |bits| &bits[..]));
        self.put(u32::from(stream.tns.is_some()), 1);
        for window in stream.tns.iter().flat_map(|_| 0..if short { 8 } else { 1 }) {
            let filters = stream.tns.as_deref().unwrap_or_default();
            let filter = filters.get(window);
            self.put(u32::from(filter.is_some()), if short { 1 } else { 2 });
            let Some(&(length, order, code)) = filter else { continue };
            let order = u32::from(order) % if short { 8 } else { 13 };
            self.put(1, 1);
            self.put(u32::from(length), if short { 4 } else { 6 });
            self.put(order, if short { 3 } else { 5 });
            if order > 0 {
                self.put(u32::from(code & 1) << 1, 2);
                (0..order).for_each(|i| self.put(u32::from(code.rotate_left(i)), 4));
            }
        }
        self.put(0, 1); // gain_control_data_present
        self.put_all(&stream.lines);
        self.put(0, books.iter().filter(|book| matches!(book, 1 | 3)).count().min(256));
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Channels { pair, tag, shared, streams } => {
                self.put(u32::from(*pair), 3);
                self.put(u32::from(tag & 3), 4);
                if *pair {
                    self.put(u32::from(shared.is_some()), 1);
                    if let Some((info, mask)) = shared {
                        self.info(info);
                        self.put(u32::from(mask % 3) & 2, 2);
                    }
                }
                let shared = shared.as_ref().filter(|_| *pair).map(|(info, _)| info);
                streams.iter().take(1 + usize::from(*pair)).for_each(|stream| self.stream(stream, shared));
            }
            Element::Coupling { tag, independent, point, targets, gain, stream } => {
                self.put(2 << 4 | u32::from(tag & 1), 7);
                let targets = &targets[..targets.len().clamp(1, 8).min(targets.len())];
                self.put(u32::from(*independent), 1);
                self.put(targets.len().saturating_sub(1) as u32, 3);
                for (pair, tag, select) in targets {
                    self.put(u32::from(*pair) << 4 | u32::from(tag & 3), 5);
                    self.put(u32::from(select & 3), if *pair { 2 } else { 0 });
                }
                self.put(u32::from(*point), 1);
                self.put(u32::from(gain & 7), 3);
                self.stream(stream, None);
            }
            Element::Fill { kind, payload } => {
                let payload = &payload[..payload.len().min(200)];
                // The count covers the kind and what fills the last bytes.
                let count = payload.len() as u32 + 2;
                self.put(6 << 4 | count.min(15), 7);
                self.put(count.wrapping_sub(14), if count < 15 { 0 } else { 8 });
                self.put(u32::from(kind & 15), 4);
                self.put_all(payload);
                self.put(0, 12 - 8 + 8);
            }
            Element::Data(data) => {
                let data = &data[..data.len().min(200)];
                self.put(4 << 4, 7);
                self.put(data.len() as u32, 9);
                self.put_all(data);
            }
            Element::Program { front, back, coupling } => {
                let (front, back) = (&front[..front.len().min(15)], &back[..back.len().min(15)]);
                self.put(5 << 4, 7);
                self.put(1 << 4 | 4, 6);
                self.put((front.len() as u32) << 8 | back.len() as u32, 12);
                self.put(u32::from(*coupling), 2 + 3 + 4);
                self.put(0, 3);
                for (pair, tag) in front.iter().chain(back) {
                    self.put(u32::from(*pair) << 4 | u32::from(tag & 3), 5);
                }
                self.put(0, if *coupling { 5 } else { 0 } + self.free % 8);
                self.put(0, 8);
            }
            Element::Bits(bits) => self.put_all(bits),
        }
    }
}

/// LC, Main, LTP in stereo; LC mono, 5.1, by program and with 960 lines; HE-AAC; HE-AAC v2.
const CONFIGS: [&[u8]; 9] = [
    &[0x12, 0x10],
    &[0x0a, 0x10],
    &[0x22, 0x10],
    &[0x12, 0x08],
    &[0x12, 0x30],
    &[0x12, 0x00, 0x05, 0x10, 0x04, 0x40, 0x00, 0x10, 0x00, 0x00],
    &[0x12, 0x14],
    &[0x2b, 0x11, 0x88, 0x00],
    &[0xeb, 0x09, 0x88, 0x00],
];

libfuzzer_sys::fuzz_target!(|plan: Plan| {
    let Ok(config) = maliu_aac::Config::parse(CONFIGS[usize::from(plan.config) % CONFIGS.len()]) else { return };
    let mut options = maliu_aac::Options::default();
    options.drc = plan.drc;
    let Ok(mut decoder) = maliu_aac::Decoder::with_options(config, options) else { return };
    for (elements, cut) in &plan.units {
        let mut bits = Bits::default();
        elements.iter().for_each(|element| bits.element(element));
        bits.put(7, 3);
        let length = cut.map_or(bits.bytes.len(), |cut| usize::from(cut).min(bits.bytes.len()));
        let frame = match decoder.decode(&bits.bytes[..length]) {
            Ok(frame) => frame,
            Err(_) => decoder.conceal(),
        };
        for channel in 0..frame.channels() {
            assert!(frame.channel(channel).iter().all(|sample| sample.is_finite()));
        }
    }
});
