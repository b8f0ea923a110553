//! Latency of the wire for a packet: from the sender's queue over a socket to the receiver's hands, live.
//!
//! Each packet carries the moment at which it was given to the sender. Prints the middle, the 99th percentile and the
//! worst. `cargo run --release -p maliu --features tokio --example wire_latency -- [SECONDS [BYTES [PER_SECOND]]]`

use std::{
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use maliu::{
    format::Event,
    packet::Packet,
    stream::{Codec, Media, StreamInfo, Video},
    time::{Ticks, TimeBase},
    tokio::{
        net::{self, Listener},
        wire::{Clock, Incoming, send_over},
    },
    wire::{
        message::Mode,
        session::{Received, ReceiverOptions, Sender, SenderOptions},
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<u64> = std::env::args().skip(1).map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let arg = |at: usize, usual| args.get(at).copied().unwrap_or(usual);
    let (seconds, bytes, rate) = (arg(0, 20), arg(1, 20_000), arg(2, 25));
    let mut times = measure(seconds * rate, bytes as usize, Duration::from_secs(1) / rate as u32)?;
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{} packets of {bytes} bytes, {rate} a second, over TCP on loopback", times.len());
    println!("added latency: median {:.3} ms, p99 {:.3} ms, worst {:.3} ms", at(0.5), at(0.99), at(1.0));
    Ok(())
}

/// Latency of each of `packets` packets. Source, sender and receiver are threads of their own.
pub fn measure(packets: u64, bytes: usize, pause: Duration) -> std::io::Result<Vec<Duration>> {
    let begun = Instant::now();
    let receiving = runtime()?;
    let listener = receiving.block_on(Listener::bind(&"tcp://127.0.0.1:0".parse().expect("an address"), None))?;
    let address = listener.address();
    let receiver = thread::spawn(move || receiving.block_on(receive(&listener, begun)));
    let (batches, mut source) = mpsc::channel(16);
    let feeder = thread::spawn(move || feed(&batches, packets, bytes, pause, begun));
    runtime()?.block_on(async {
        let stream = net::connect(&address.parse().expect("an address"), None).await?;
        let mut sender = Sender::new(SenderOptions::new("", 1, Mode::Live));
        let sent = send_over(stream, &mut sender, &mut source, Clock::default(), |_| {}).await;
        sent.map_err(std::io::Error::other)
    })?;
    feeder.join().expect("the source ends");
    receiver.join().expect("the receiver ends")
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn feed(batches: &mpsc::Sender<Vec<Event>>, packets: u64, bytes: usize, pause: Duration, begun: Instant) {
    let info = StreamInfo::new(Codec::H264, TimeBase::MICROS, Media::Video(Video::default()));
    let _ = batches.blocking_send(vec![Event::Stream(0, Box::new(info))]);
    let data = Bytes::from(vec![7; bytes]);
    for _ in 0..packets {
        thread::sleep(pause);
        let now = Some(Ticks(begun.elapsed().as_micros() as i64));
        let packet = Packet::of(0, data.clone()).at(now).with_key(true);
        if batches.blocking_send(vec![Event::Packet(packet)]).is_err() {
            return;
        }
    }
}

async fn receive(listener: &Listener, begun: Instant) -> std::io::Result<Vec<Duration>> {
    let stream = listener.accept().await?.stream().await?;
    let mut connection = Incoming::new(stream, ReceiverOptions::default(), Clock::default())?;
    let mut times = Vec::new();
    loop {
        while let Some(received) = connection.next_content().map_err(std::io::Error::other)? {
            match received {
                Received::Hello(_) => connection.session().welcome(0),
                Received::Content(_, Event::Packet(packet)) => {
                    let given = Duration::from_micros(packet.pts.unwrap_or_default().0 as u64);
                    times.push(begun.elapsed().saturating_sub(given));
                }
                Received::Content(number, Event::End) => connection.session().acknowledge(number + 1),
                Received::Content(..) => {}
            }
        }
        if connection.session().is_heard() {
            return Ok(times);
        }
        connection.wait().await.map_err(std::io::Error::other)?;
    }
}
