//! Wrappers keep the faster ways of this crate's sources, and every byte of any other source.

use std::{cell::Cell, io, rc::Rc, time::Duration};

use bytes::Bytes;
use maliu_core::{
    input::Block,
    output::{Edit, Mark, Reach},
};

use super::{
    Ahead, Behind, Checked, Follow, Forward, Sink, Source, Spooled,
    tuning::{Seal, Tuning},
};
use crate::blocking::Reader;

/// A source with every faster way.
struct Fast(Rc<Cell<u32>>);

impl Source for Fast {
    fn seekable(&self) -> bool {
        true
    }
    fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn size(&mut self) -> Option<u64> {
        Some(7)
    }
    fn block_size(&self) -> usize {
        77
    }
    fn tuning(&mut self, _: Seal) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

impl Tuning for Fast {
    fn share(&mut self, at: u64) -> Option<Bytes> {
        Some(Bytes::from(vec![at as u8]))
    }
    fn reads_blocks(&mut self) -> bool {
        true
    }
    fn read_block(&mut self, _: u64, block: &mut Block) -> io::Result<usize> {
        Ok(block.room().len())
    }
    fn twin(&mut self) -> Option<Box<dyn Source + Send>> {
        Some(Box::new(Bytes::from_static(b"twin")))
    }
    fn settle(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Whether it shares, is read by blocks, has a twin and settles.
fn ways(mut source: impl Source, settled: &Cell<u32>) -> [bool; 4] {
    let before = settled.get();
    let Some(tuning) = source.tuning(Seal) else { return [false; 4] };
    let blocks = tuning.reads_blocks() && tuning.read_block(0, &mut Block::new(5)).unwrap() == 5;
    tuning.settle();
    [tuning.share(3).is_some(), blocks, tuning.twin().is_some(), settled.get() > before]
}

#[test]
fn a_wrapper_passes_on_every_faster_way_or_refuses_it_for_a_reason() {
    let settled = Rc::new(Cell::new(0));
    let fast = || Fast(settled.clone());
    assert_eq!(ways(fast(), &settled), [true; 4]);
    let boxed: Box<dyn Source> = Box::new(fast());
    assert_eq!(ways(Box::new(boxed), &settled), [true; 4], "a box is what is in it");
    assert_eq!(ways(Checked::new(fast(), || Ok(())), &settled), [false, true, true, true], "shared is unchecked");
    // A growing source is not in memory, and not read ahead of its end; a spooled one is read once only, and settles.
    assert_eq!(ways(Follow::new(fast()), &settled), [false; 4]);
    assert_eq!(ways(Spooled::new(fast()), &settled), [false, false, false, true]);
    assert_eq!(Checked::new(fast(), || Ok(())).size(), Some(7));
    assert_eq!(Checked::new(fast(), || Ok(())).block_size(), 77);
}

/// A source as a user of the crate writes it: it knows of no faster way, and sees every byte.
struct Counting<S>(S, Rc<Cell<u64>>);

impl<S: Source> Source for Counting<S> {
    fn seekable(&self) -> bool {
        self.0.seekable()
    }
    fn read_at(&mut self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(at, buf).inspect(|got| self.1.set(self.1.get() + *got as u64))
    }
}

#[test]
fn every_byte_goes_through_a_wrapper_of_two_methods() {
    let file = Bytes::from(
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/adts/stereo_44100.aac")).unwrap(),
    );
    let direct: Vec<_> = Reader::new(file.clone()).map(Result::unwrap).collect();
    let around: [fn(Bytes) -> Box<dyn Source>; 3] = [
        |file| Box::new(file),
        |file| Box::new(Ahead::new(file)),
        |file| Box::new(Follow::new(file).until_quiet(Duration::ZERO)),
    ];
    for wrap in around {
        let seen = Rc::new(Cell::new(0));
        let reader = Reader::new(Counting(wrap(file.clone()), seen.clone()));
        assert!(reader.map(Result::unwrap).eq(direct.iter().cloned()));
        assert_eq!(seen.get(), file.len() as u64, "nothing is read behind its back");
    }
}

/// A sink as a user of the crate writes it, around another: it counts pieces, and finishes once.
struct Pieces<S>(S, usize, usize);

impl<S: Sink> Sink for Pieces<S> {
    fn reach(&self) -> Reach {
        self.0.reach()
    }
    fn apply(&mut self, edit: Edit) -> io::Result<()> {
        self.1 += 1;
        self.0.apply(edit)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
    fn finish(&mut self) -> io::Result<()> {
        self.2 += 1;
        self.0.finish()
    }
}

#[test]
fn a_sink_of_this_crate_gathers_through_wrappers_and_another_sees_every_piece() {
    let gathering = || Forward::new(Vec::new());
    let block = gathering().gathers(Seal);
    assert!(block > 0);
    let boxed: Box<dyn Sink + Send> = Box::new(gathering());
    assert_eq!(Sink::gathers(&boxed, Seal), block, "a box is what is in it");
    assert_eq!(Behind::new(gathering()).gathers(Seal), block);
    let counting = Pieces(gathering(), 0, 0);
    assert_eq!(counting.gathers(Seal), 0);
    let mut pump = crate::blocking::Pump::new(counting);
    for _ in 0..3 {
        pump.output().append(Mark::Header, [Bytes::from_static(b"abc")]);
    }
    pump.finish().unwrap();
    let sink = pump.into_sink();
    assert_eq!((sink.1, sink.2, sink.0.inner().len()), (3, 1, 9));
}
