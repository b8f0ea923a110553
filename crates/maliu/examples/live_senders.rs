//! Many live senders in one process: each repeats a file in real time. Their cost to a receiver is measured there.
//!
//! `cargo run --release -p maliu --features tokio --example live_senders -- tcp://127.0.0.1:7000 film.flv 1000 30`

use std::{sync::Arc, time::Duration};

use maliu::{
    blocking,
    format::Event,
    io::File,
    packet::Packet,
    stream::StreamInfo,
    time::{Rounding, Ticks, TimeBase},
    tokio::{
        net::{self, Address},
        wire::{Clock, send_over},
    },
    wire::{
        message::Mode,
        session::{Sender, SenderOptions},
    },
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, file, senders, seconds] = &args[..] else {
        return Err("usage: live_senders ADDRESS FILE SENDERS SECONDS".into());
    };
    let (senders, seconds) = (senders.parse()?, Duration::from_secs(seconds.parse()?));
    let (good, packets, dropped) = send(&address.parse()?, Film::read(file)?, senders, seconds).await;
    println!("{good} of {senders} senders were heard to their end, {packets} packets, {dropped} dropped");
    if good == senders { Ok(()) } else { Err("not all were heard".into()) }
}

/// Sends a clip `many` times at once, for `time`. Returns how many were acknowledged whole, and how much they sent and
/// dropped.
pub async fn send(address: &Address, film: Film, senders: u64, length: Duration) -> (u64, u64, u64) {
    let film = Arc::new(film);
    let mut tasks = tokio::task::JoinSet::new();
    for id in 0..senders {
        let (address, film) = (address.clone(), film.clone());
        // They begin one after the other within a second.
        let begin = Instant::now() + Duration::from_secs(1) * id as u32 / senders as u32;
        tasks.spawn(async move { one(&address, &film, id, begin, length).await });
    }
    let (mut good, mut packets, mut dropped) = (0, 0, 0);
    while let Some(Ok(sent)) = tasks.join_next().await {
        match sent {
            Ok(stats) => (good, packets, dropped) = (good + 1, packets + stats.0, dropped + stats.1),
            Err(error) => println!("{error}"),
        }
    }
    (good, packets, dropped)
}

/// One sender; returns packets that were sent, and dropped.
async fn one(
    address: &Address,
    film: &Film,
    id: u64,
    begin: Instant,
    length: Duration,
) -> Result<(u64, u64), Box<dyn std::error::Error + Send + Sync>> {
    sleep_until(begin).await;
    let stream = net::connect(address, None).await?;
    let mut sender = Sender::new(SenderOptions::new(format!("camera {id}"), id, Mode::Live));
    let (batches, mut source) = mpsc::channel(16);
    let feeding = feed(film, batches, begin, length);
    let sending = async {
        let sent = send_over(stream, &mut sender, &mut source, Clock::default(), |_| {}).await;
        // A thread that feeds a sender that has failed would wait without end.
        source.close();
        sent
    };
    let (sent, ()) = tokio::join!(sending, feeding);
    sent?;
    Ok((sender.stats().messages, sender.stats().dropped_packets))
}

/// Gives packets that are due, 25 times a second, for `time`.
async fn feed(film: &Film, batches: mpsc::Sender<Vec<Event>>, begin: Instant, length: Duration) {
    let streams = film.streams.iter().enumerate().map(|(index, info)| Event::Stream(index, Box::new(info.clone())));
    let (mut batch, mut next): (Vec<_>, _) = (streams.collect(), 0);
    for tick in 1.. {
        let now = TICK * tick;
        while film.due(next) <= now {
            batch.push(Event::Packet(film.packet(next)));
            next += 1;
        }
        if batches.send(std::mem::take(&mut batch)).await.is_err() || now >= length {
            return;
        }
        sleep_until(begin + now).await;
    }
}

const TICK: Duration = Duration::from_millis(40);

/// A clip in memory, to be shown again and again.
pub struct Film {
    streams: Vec<StreamInfo>,
    packets: Vec<Packet>,
    /// When each packet is due, from the beginning, in µs; and the length of the clip.
    due: Vec<i64>,
    length: i64,
}

impl Film {
    /// All of a file.
    pub fn read(path: &str) -> maliu::Result<Self> {
        let mut reader = blocking::Reader::new(File::open(path)?);
        let mut packets = Vec::new();
        while let Some(packet) = reader.next_packet()? {
            packets.push(packet);
        }
        let streams = reader.streams().to_vec();
        let micros = |packet: &Packet| {
            let base = streams[packet.stream].time_base;
            base.rescale(packet.dts.unwrap_or_default(), TimeBase::MICROS, Rounding::Near).0
        };
        let mut due: Vec<i64> = packets.iter().map(micros).collect();
        let first = due.iter().min().copied().unwrap_or(0);
        due.iter_mut().for_each(|time| *time -= first);
        let length = due.iter().max().copied().unwrap_or(0) + 40_000;
        Ok(Self { streams, packets, due, length })
    }

    fn due(&self, index: usize) -> Duration {
        let turn = (index / self.packets.len()) as u64;
        let time = self.due[index % self.packets.len()].max(0) as u64;
        Duration::from_micros(turn * self.length as u64 + time)
    }

    fn packet(&self, index: usize) -> Packet {
        let mut packet = self.packets[index % self.packets.len()].clone();
        let turn = (index / self.packets.len()) as i64;
        let base = self.streams[packet.stream].time_base;
        let later = TimeBase::MICROS.rescale(Ticks(turn * self.length), base, Rounding::Near);
        packet.pts = packet.pts.map(|time| time + later);
        packet.dts = packet.dts.map(|time| time + later);
        packet
    }
}
