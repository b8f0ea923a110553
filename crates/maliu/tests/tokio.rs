//! Asynchronous reading and writing: dropping a future at any point loses nothing.

mod quads;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use maliu::{
    Event, Ticks, TimeBase,
    output::Mark,
    tokio::{Forward, Pump, Reader, Seekable},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Polls a future once, then drops it.
async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// A stream that is pending every second time, and otherwise moves up to three bytes.
struct Hesitant<T> {
    inner: T,
    turn: bool,
}

impl<T> Hesitant<T> {
    fn new(inner: T) -> Self {
        Self { inner, turn: false }
    }

    fn hesitates(&mut self, cx: &mut Context<'_>) -> bool {
        self.turn = !self.turn;
        if self.turn {
            cx.waker().wake_by_ref();
        }
        self.turn
    }
}

impl AsyncRead for Hesitant<&[u8]> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.hesitates(cx) {
            return Poll::Pending;
        }
        let (now, later) = self.inner.split_at(self.inner.len().min(3));
        buf.put_slice(now);
        self.inner = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Hesitant<Vec<u8>> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.hesitates(cx) {
            return Poll::Pending;
        }
        let n = buf.len().min(3);
        self.inner.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hesitates(cx) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[test]
fn a_reader_whose_futures_are_dropped_at_every_await_loses_nothing() {
    let bytes: Vec<u8> = (0..=250).collect();
    block_on(async {
        let mut reader = Reader::with(Forward(Hesitant::new(&bytes[..])), quads::reader());
        let (mut got, mut dropped) = (Vec::new(), 0);
        loop {
            match poll_once(reader.next_packet()).await {
                None => dropped += 1,
                Some(Ok(Some(packet))) => got.extend_from_slice(&packet.data),
                Some(Ok(None)) => break,
                Some(Err(error)) => panic!("{error}"),
            }
        }
        assert!(got == bytes && dropped > 50, "{dropped} dropped");
    });
}

#[test]
fn a_writer_whose_futures_are_dropped_at_every_await_loses_nothing() {
    block_on(async {
        let mut pump = Pump::new(Hesitant::new(Vec::new()));
        let (mut expected, mut dropped) = (Vec::new(), 0);
        for i in 0..50u8 {
            expected.extend_from_slice(&[i; 7]);
            pump.output().append(Mark::Body { time: None }, [Bytes::from(vec![i; 7])]);
            dropped += usize::from(poll_once(pump.flush()).await.is_none());
        }
        while poll_once(pump.finish()).await.is_none() {
            dropped += 1;
        }
        assert_eq!((pump.waiting(), pump.into_inner().inner), (0, expected));
        assert!(dropped > 50, "{dropped} dropped");
    });
}

#[test]
fn patches_reach_a_stream_that_can_be_sought() {
    block_on(async {
        let mut pump = Pump::seekable(io::Cursor::new(Vec::new()));
        pump.output().append(Mark::Header, [Bytes::from_static(b"header")]);
        pump.output().overwrite(1, Bytes::from_static(b"EA"));
        pump.output().append(Mark::Trailer, [Bytes::from_static(b"trailer")]);
        pump.finish().await.unwrap();
        assert_eq!(pump.into_inner().into_inner(), b"hEAdertrailer");
    });
}

#[test]
fn a_stream_that_can_be_sought_is() {
    block_on(async {
        let source = Seekable::new(io::Cursor::new(b"000011112222"));
        let mut reader = Reader::with(source, quads::reader()).with_block_size(5);
        assert!(matches!(reader.next_event().await, Ok(Event::Stream(0, _))));
        reader.seek_to(Ticks(2), TimeBase::SECONDS).await.unwrap();
        assert_eq!(reader.next_packet().await.unwrap().unwrap().data, "2222");
        reader.seek_to(Ticks(1), TimeBase::SECONDS).await.unwrap();
        assert_eq!(reader.next_packet().await.unwrap().unwrap().data, "1111");
    });
}
