//! A recording whose disk loses what was not synchronised plays up to its last whole fragment.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom, Write},
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use maliu::{
    Packet,
    blocking::Reader,
    copy::{Inputs, Options, Step},
    formats,
    io::{Durable, Recording},
};

/// A block of a disk.
const BLOCK: usize = 4096;

/// Events of the disk.
enum Op {
    Write(usize, Vec<u8>),
    Sync,
}

/// A disk that remembers every write.
#[derive(Clone, Default)]
struct Disk {
    ops: Rc<RefCell<Vec<Op>>>,
    at: usize,
    size: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ops.borrow_mut().push(Op::Write(self.at, bytes.to_vec()));
        self.at += bytes.len();
        self.size = self.size.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Disk {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.at = usize::try_from(at).unwrap();
        Ok(at)
    }
}

impl Durable for Disk {
    fn sync(&self) -> io::Result<()> {
        self.ops.borrow_mut().push(Op::Sync);
        Ok(())
    }
}

/// The file after the first `count` operations when of those behind the last synchronisation only `kept` blocks, in the
/// order of their place, have reached the disk.
fn after(ops: &[Op], count: usize, kept: usize) -> Vec<u8> {
    let ops = &ops[..count];
    let safe = ops.iter().rposition(|op| matches!(op, Op::Sync)).map_or(0, |at| at + 1);
    let mut file = Vec::new();
    let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
        file.resize(file.len().max(at + bytes.len()), 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
    };
    let writes = |ops: &[Op], put: &mut dyn FnMut(usize, &[u8])| {
        ops.iter().for_each(|op| match op {
            Op::Write(at, bytes) => put(*at, bytes),
            Op::Sync => {}
        });
    };
    writes(&ops[..safe], &mut |at, bytes| put(&mut file, at, bytes));
    let mut blocks: BTreeMap<usize, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
    writes(&ops[safe..], &mut |at, bytes| {
        for (n, byte) in bytes.iter().enumerate() {
            let list = blocks.entry((at + n) / BLOCK).or_default();
            match list.last_mut().filter(|(start, run)| start + run.len() == at + n) {
                Some((_, run)) => run.push(*byte),
                None => list.push((at + n, vec![*byte])),
            }
        }
    });
    for (at, bytes) in blocks.into_values().take(kept).flatten() {
        put(&mut file, at, &bytes);
    }
    file
}

/// The packets of a file up to the first one that is cut.
fn packets(file: Vec<u8>) -> Vec<Packet> {
    let packets = Reader::new(Bytes::from(file)).map_while(Result::ok);
    packets.take_while(|packet| !packet.flags.has(maliu::packet::Flags::CORRUPT)).collect()
}

/// Where the media of each fragment ends.
fn fragment_ends(file: &[u8]) -> Vec<usize> {
    let (mut at, mut ends) = (0, Vec::new());
    while let Some(head) = file.get(at..at + 8) {
        at += u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        if &head[4..] == b"mdat" {
            ends.push(at);
        }
    }
    ends
}

#[test]
fn a_power_failure_loses_only_what_was_not_on_the_disk() {
    let clip = include_bytes!("../../../samples/h264/b_frames.h264").repeat(20);
    let disk = Disk::default();
    let sink = Recording::new(disk.clone()).holding(Duration::ZERO);
    let inputs = Inputs::open([Reader::new(Bytes::from(clip))], formats::named("mp4").unwrap(), Options::default());
    let mut copy = inputs.unwrap().start(sink).unwrap();
    while !matches!(copy.step().unwrap(), Step::End) {}
    let (_, sink) = copy.finish(Ok(()));
    drop(sink.unwrap());
    let ops = disk.ops.borrow();
    let whole = packets(after(&ops, ops.len(), usize::MAX));
    assert_eq!(whole.len(), 20 * packets(include_bytes!("../../../samples/h264/b_frames.h264").to_vec()).len());
    let patch =
        ops.iter().position(|op| matches!(op, Op::Sync)).expect("the index is on the disk before the head changes");
    assert_eq!(patch + 2, ops.len(), "one change behind it");
    let (recorded, mut states) = (after(&ops, patch - 1, usize::MAX), 0);
    let ends = fragment_ends(&recorded);
    assert!(ends.len() > 5, "{ends:?}");
    for count in 0..=ops.len() {
        for kept in (0..).step_by(if count + 4 > ops.len() { 1 } else { 7 }) {
            let file = after(&ops, count, kept);
            let size = file.len();
            let found = if ends.first().is_some_and(|end| *end <= size) { packets(file) } else { Vec::new() };
            let same = |(a, b): (&Packet, &Packet)| (a.pts, a.dts, &a.data) == (b.pts, b.dts, &b.data);
            assert!(found.iter().zip(&whole).all(same), "after {count} of {} with {kept} blocks", ops.len());
            let fragments = ends.iter().filter(|end| **end <= size).count();
            assert!(
                found.len() * ends.len() + whole.len() >= fragments * whole.len(),
                "{} of {fragments}",
                found.len()
            );
            states += 1;
            if kept * BLOCK > size {
                break;
            }
        }
    }
    println!("{states} states of the disk, {} fragments", ends.len());
}
