//! Batches along a line of three stages: their order, another round, and one that weighs much.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The rest of a batch, its weight, and the work of each stage by round.
struct Part {
    number: u64,
    rounds: usize,
    load: usize,
    done: Vec<(usize, usize)>,
}

impl Load for Part {
    fn load(&self) -> usize {
        self.load
    }

    fn again(&self) -> bool {
        self.rounds > 0
    }
}

/// Sees that batches come in order, each as often as it goes round.
struct InOrder {
    stage: usize,
    last: Option<u64>,
    on_the_way: Arc<AtomicUsize>,
}

impl Worker<Part> for InOrder {
    fn work(&mut self, part: &mut Part) {
        let followed = self.last.map_or(0, |last| last + 1);
        let again = part.done.iter().any(|(stage, _)| *stage == self.stage);
        assert_eq!(part.number, if again { followed - 1 } else { followed });
        self.last = Some(part.number);
        if self.stage == 0 {
            part.rounds -= 1;
            if !again {
                self.on_the_way.fetch_add(1, Ordering::Relaxed);
            }
        }
        part.done.push((self.stage, part.rounds));
    }
}

/// Does what it is given, in any order.
struct Any(usize);

impl Worker<Part> for Any {
    fn work(&mut self, part: &mut Part) {
        part.done.push((self.0, part.rounds));
    }
}

#[test]
fn a_batch_may_go_round_and_one_too_heavy_goes_alone() {
    for threads in [1, 2, 5] {
        let on_the_way = Arc::new(AtomicUsize::new(0));
        let in_order =
            |stage| Box::new(InOrder { stage, last: None, on_the_way: on_the_way.clone() }) as Box<dyn Worker<_>>;
        let any = || Box::new(Any(1)) as Box<dyn Worker<_>>;
        let stages = vec![vec![in_order(0)], vec![any(), any(), any()], vec![in_order(2)]];
        let mut line = Line::new(stages, NonZeroUsize::new(threads).unwrap(), NonZeroUsize::new(4).unwrap());
        let rounds = |number: u64| 1 + (number % 3) as usize;
        for number in 0..60 {
            let load = if number < 30 { 1 } else { 4 };
            line.push(Part { number, rounds: rounds(number), load, done: Vec::new() });
        }
        for number in 0..60 {
            let part = line.take().unwrap();
            let expected: Vec<_> =
                (0..rounds(number)).rev().flat_map(|left| (0..3).map(move |stage| (stage, left))).collect();
            assert_eq!((part.number, part.done), (number, expected));
            let taken = number as usize + 1;
            let most = if number < 30 { taken + 5 } else { taken + 1 };
            assert!(on_the_way.load(Ordering::Relaxed) <= most, "{number}");
        }
        assert!(line.take().is_none());
    }
}
