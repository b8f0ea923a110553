//! Fed bytes are taken unchanged, at their offset, and buffers are shared only where that keeps little in memory.

use super::*;

#[test]
fn take_gives_what_was_pushed_in_order_and_at_its_offset() {
    let mut input = Input::new();
    input.push(b"ab");
    input.push_bytes(Bytes::from_static(b"cd"));
    assert_eq!(input.peek(), b"abcd");
    assert_eq!((input.take(5), input.offset()), (None, 0));
    assert_eq!((input.take(3).unwrap(), input.offset(), input.next_read()), (Bytes::from_static(b"abc"), 3, 4));
}

#[test]
fn pushed_bytes_are_shared_when_nothing_waits() {
    let bytes = Bytes::from(alloc::vec![7; 100]);
    let mut input = Input::new();
    input.push_bytes(bytes.clone());
    assert_eq!(input.take(50).unwrap().as_ptr(), bytes.as_ptr());
}

#[test]
fn forward_goto_passes_over_bytes_as_they_come() {
    let mut input = Input::new();
    input.push(b"0123");
    input.goto(6).unwrap();
    assert_eq!((input.peek(), input.next_read()), (&b""[..], 4));
    input.push(b"4");
    let got = input.fill(8, |at, buffer| {
        buffer[..3].copy_from_slice(b"567");
        Ok::<_, ()>(if at == 5 { 3 } else { 0 })
    });
    assert_eq!((got, input.peek(), input.offset(), input.next_read()), (Ok(3), &b"67"[..], 6, 8));
    assert_eq!(input.goto(5), Err(Error::NotSeekable { wanted: 5, oldest: 6 }));
}

#[test]
fn large_reads_use_a_buffer_again_when_nobody_holds_it() {
    let (mut input, mut places, mut held) = (Input::new(), Vec::new(), Vec::new());
    for n in 0..6u8 {
        input.fill(POOLED_READ, |_, buffer| Ok::<_, ()>((buffer.fill(n), buffer.len()).1)).unwrap();
        places.push(input.peek().as_ptr());
        let taken = input.take(POOLED_READ).unwrap();
        assert!(taken.iter().all(|b| *b == n), "read {n}");
        if n == 3 {
            held.push(taken);
        }
    }
    assert_eq!(places[1], places[2]);
    assert_ne!(places[3], places[4]);
    assert!(held[0].iter().all(|b| *b == 3));
}

#[test]
fn seekable_goto_moves_the_next_read() {
    let mut input = Input::seekable(Some(100));
    input.push(b"0123");
    input.end();
    input.goto(50).unwrap();
    assert_eq!((input.next_read(), input.ended()), (50, false));
    input.goto(2).unwrap();
    assert_eq!((input.next_read(), input.offset()), (2, 2));
}

#[test]
fn warnings_are_bounded_and_counted() {
    let mut input = Input::new();
    (0..MAX_WARNINGS + 3).for_each(|_| input.warn("odd"));
    let (kept, more) = input.take_warnings();
    assert_eq!((kept.len(), more), (MAX_WARNINGS, 3));
}

#[test]
fn what_is_taken_behind_a_large_unit_does_not_keep_its_buffer() {
    let mut input = Input::new();
    input.push(&alloc::vec![1; 4 << 20]);
    let first = input.peek().as_ptr();
    // A small part in front of much is copied, a large one is shared, and what is left moves out.
    assert_ne!(input.take(1000).unwrap().as_ptr(), first);
    let second = input.peek().as_ptr();
    assert_eq!(input.take((4 << 20) - 3000).unwrap().as_ptr(), second);
    let rest = input.peek().as_ptr();
    assert!(!(second as usize..second as usize + (4 << 20)).contains(&(rest as usize)));
    assert_eq!(input.take(2000).unwrap(), alloc::vec![1; 2000]);
}
