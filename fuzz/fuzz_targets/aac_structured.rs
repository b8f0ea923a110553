//! Access units that keep to the syntax of AAC wherever the fuzzer does not say otherwise, so that it gets past the
//! parser.
#![no_main]

use arbitrary::Arbitrary;

#[derive(Arbitrary, Debug)]
struct Plan {
    config: u8,
    /// Tools of an error resilient type.
    resilient: Option<u8>,
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
    /// SBR with a header that gives bands.
    Sbr(Vec<u8>),
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
    /// Fields behind predictor_data_present.
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
    /// Length of the longest reordered codeword.
    longest: u8,
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: usize,
    tools: Tools,
}

/// Fields of a configuration.
#[derive(Clone, Copy, Default)]
struct Tools {
    /// Error resilient, of this many channels; 0: not so.
    channels: usize,
    low_delay: bool,
    eld: bool,
    sections: bool,
    scale_factors: bool,
    spectrum: bool,
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

    fn is_short(&self, info: &Info) -> bool {
        !self.tools.low_delay && info.sequence & 3 == 2
    }

    fn info(&mut self, info: &Info) {
        if self.tools.eld {
            return self.put(u32::from(info.bands % 32), 6);
        }
        let sequence = if self.tools.low_delay { 0 } else { info.sequence & 3 };
        self.put(u32::from(sequence) << 1 | u32::from(info.kbd), 4);
        if self.is_short(info) {
            self.put(u32::from(info.bands % self.most_bands(info)), 4);
            self.put(u32::from(info.grouping), 7);
        } else {
            self.put(u32::from(info.bands % self.most_bands(info)), 6);
            self.put(u32::from(info.prediction.is_some()), 1);
            self.put_all(info.prediction.as_ref().map_or(&[], |bits| &bits[..]));
        }
    }

    fn most_bands(&self, info: &Info) -> u8 {
        match (self.tools.low_delay, self.is_short(info)) {
            (true, _) => 32,
            (_, true) => 13,
            _ => 41,
        }
    }

    fn stream(&mut self, stream: &Stream, shared: Option<&Info>) {
        self.put(u32::from(stream.gain), 8);
        let info = shared.unwrap_or(&stream.info);
        if shared.is_none() {
            self.info(info);
        }
        let short = self.is_short(info);
        let bands = usize::from(info.bands % self.most_bands(info));
        let (width, escape) = if short { (3, 7) } else { (5, 31) };
        let groups = if short { 8 - (info.grouping & 0x7f).count_ones() as usize } else { 1 };
        let mut sections = stream.sections.iter().cycle();
        let mut books = Vec::new();
        for _ in 0..groups {
            let mut left = bands;
            while left > 0 {
                let (book, length) = sections.next().copied().unwrap_or((0, 255));
                let book = book & if self.tools.sections { 31 } else { 15 };
                let single = self.tools.sections && (book == 11 || book >= 16);
                let length = if single { 1 } else { usize::from(length).clamp(1, left) };
                self.put(u32::from(book), if self.tools.sections { 5 } else { 4 });
                if !single {
                    (0..length / escape).for_each(|_| self.put(escape as u32, width));
                    self.put((length % escape) as u32, width);
                }
                books.extend(std::iter::repeat_n(book, length));
                left -= length;
            }
        }
        // Each scale factor is that of the band before: one bit of zero. The first noise is said in nine bits.
        let mut reversible = 0;
        if self.tools.scale_factors {
            reversible = self.reversible(u32::from(stream.gain), &books, short);
        }
        let mut first_noise = true;
        let plain = !self.tools.scale_factors;
        for book in books.iter().filter(|book| plain && **book != 0) {
            let said = *book == 13 && std::mem::take(&mut first_noise);
            self.put(if said { 256 } else { 0 }, if said { 9 } else { 1 });
        }
        if !self.tools.eld {
            self.put(u32::from(stream.pulse.is_some()), 1);
            self.put_all(stream.pulse.as_ref().map_or(&[], |bits| &bits[..]));
        }
        self.put(u32::from(stream.tns.is_some()), 1);
        if self.tools.channels > 0 && !self.tools.eld {
            self.put(0, 1); // gain_control_data_present
            self.lengths(stream, reversible);
        }
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
        match self.tools {
            Tools { channels: 0, .. } => self.put(0, 1), // gain_control_data_present
            Tools { eld: true, .. } => self.lengths(stream, reversible),
            _ => {}
        }
        self.put_all(&stream.lines);
        self.put(0, books.iter().filter(|book| matches!(book, 1 | 3)).count().min(256));
    }

    /// Codes for scale factors that are all the same; returns how long the codes are that follow later.
    fn reversible(&mut self, gain: u32, books: &[u8], short: bool) -> usize {
        let noise = books.iter().filter(|book| **book == 13).count();
        let position = books.iter().any(|book| matches!(book, 14 | 15));
        let codes = books.iter().filter(|book| **book != 0).count() - noise.min(1) + usize::from(position);
        self.put(gain, 9);
        self.put((codes + if noise > 0 { 9 } else { 0 }) as u32, if short { 11 } else { 9 });
        self.put(256, if noise > 0 { 9 } else { 0 });
        self.put(0, 1);
        self.put(256, if noise > 0 { 9 } else { 0 });
        codes
    }

    /// The lengths of reordered codewords, and reversible codes of a number of bits.
    fn lengths(&mut self, stream: &Stream, reversible: usize) {
        if self.tools.spectrum {
            self.put(8 * stream.lines.len() as u32, 14);
            self.put(u32::from(stream.longest), 6);
        }
        self.put(0, reversible);
    }

    /// An error resilient unit: the first channels there are, and payloads behind them.
    fn resilient(&mut self, elements: &[Element]) {
        let channels = elements.iter().find_map(|element| match element {
            Element::Channels { shared, streams, .. } => Some((shared, streams)),
            _ => None,
        });
        let Some((shared, streams)) = channels else { return };
        let mut shared = shared.as_ref().map(|(info, _)| info).filter(|_| self.tools.channels == 2);
        self.put(0, if self.tools.eld { 0 } else { 4 });
        if self.tools.channels == 2 {
            match self.tools.eld {
                true => shared = Some(&streams[0].info),
                false => self.put(u32::from(shared.is_some()), 1),
            }
            if let Some(info) = shared {
                self.info(info);
                self.put(0, 2);
            }
        }
        streams.iter().take(self.tools.channels).for_each(|stream| self.stream(stream, shared));
        for element in elements {
            match element {
                Element::Fill { kind, payload } => {
                    self.put(u32::from(kind & 15), 4);
                    self.put_all(payload);
                }
                Element::Bits(bits) => self.put_all(bits),
                _ => {}
            }
        }
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Sbr(data) => {
                self.element(&Element::Fill { kind: 13, payload: [&[0xd6, 0x40][..], data].concat() });
            }
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
    &[0x12, 0x00, 0x05, 0x08, 0x04, 0x04, 0x20, 0x08, 0x80, 0x20, 0x00],
    &[0x12, 0x14],
    &[0x2b, 0x11, 0x88, 0x00],
    &[0xeb, 0x09, 0x88, 0x00],
];

/// ER LC, ER LTP, LD, ELD in stereo and in mono with SBR, each with how far left its tools stand in the third byte.
const RESILIENT: [(&[u8], u8); 5] = [
    (&[0x8a, 0x11, 0x00], 5),
    (&[0x9a, 0x11, 0x00], 5),
    (&[0xba, 0x11, 0x00], 5),
    (&[0xf8, 0xe8, 0x40, 0x00], 1),
    (&[0xf8, 0xec, 0x21, 0xae, 0x04, 0x00, 0x00, 0x00, 0x00], 1),
];

/// A configuration, and what its units are written with.
fn configuration(plan: &Plan) -> (Vec<u8>, Tools) {
    let Some(flags) = plan.resilient else {
        return (CONFIGS[usize::from(plan.config) % CONFIGS.len()].to_vec(), Tools::default());
    };
    let (config, place) = RESILIENT[usize::from(plan.config) % RESILIENT.len()];
    let mut config = config.to_vec();
    config[2] |= (flags & 7) << place;
    let tools = Tools {
        channels: if config[1] == 0xec { 1 } else { 2 },
        low_delay: config[0] >= 0xba,
        eld: config[0] == 0xf8,
        sections: flags & 4 != 0,
        scale_factors: flags & 2 != 0,
        spectrum: flags & 1 != 0,
    };
    (config, tools)
}

libfuzzer_sys::fuzz_target!(|plan: Plan| {
    let (config, tools) = configuration(&plan);
    let config = maliu_aac::Config::parse(&config).expect("a good configuration");
    let mut options = maliu_aac::Options::default();
    options.drc = plan.drc;
    let Ok(mut decoder) = maliu_aac::Decoder::with_options(config, options) else { return };
    for (elements, cut) in &plan.units {
        let mut bits = Bits { tools, ..Bits::default() };
        if tools.channels > 0 {
            bits.resilient(elements);
        } else {
            elements.iter().for_each(|element| bits.element(element));
            bits.put(7, 3);
        }
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
