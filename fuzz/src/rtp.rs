//! Fuzzing of RTP sessions: any datagrams in any order end, and what waits stays bounded.

use bytes::Bytes;
use maliu_core::{
    format::Event,
    rtp::{Header, Losses, MAX_GATHERED_BYTES, MAX_UNIT, MAX_WAITING_BYTES, Session, sdp},
};

const ENCODINGS: [&str; 16] = [
    "H264/90000", "H265/90000", "MPEG4-GENERIC/48000/2", "MP4A-LATM/48000/2", "opus/48000/2", "L16/8000", "G726-32/8000",
    "MPA/90000", "MPV/90000", "VP8/90000", "VP9/90000", "AV1/90000", "AC3/48000", "EAC3/48000", "JPEG/90000", "x/1000",
];

/// Reads `data` as datagrams of two streams, whose encodings the first byte picks. The first two bytes of a datagram are
/// its length and its place: step of the number, stream, marker, step of the time; or it is taken as it is.
pub fn sessions(data: &[u8]) {
    let Some((first, mut data)) = data.split_first() else { return };
    let name = |n: u8| ENCODINGS.get(usize::from(n & 15)).copied().unwrap_or("H264/90000");
    let fmtp = "mode=AAC-hbr;config=1210;sizelength=13;indexlength=3;indexdeltalength=3";
    let text = format!(
        "v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 {}\na=fmtp:96 {fmtp}\nm=audio 0 RTP/AVP 96\na=rtpmap:96 {}\n",
        name(*first),
        name(first >> 4)
    );
    let mut session = Session::new(&sdp::parse(&text).expect("it is a description"), Losses::Keep);
    let (mut sequence, mut timestamp, mut fed, mut given) = (0u16, 0u32, 0usize, 0usize);
    while let Some((&[length, place], rest)) = data.split_first_chunk::<2>() {
        let (payload, after) = rest.split_at(usize::from(length).min(rest.len()));
        data = after;
        let stream = usize::from(place >> 2 & 1);
        fed += payload.len();
        if place & 0xf0 == 0xf0 {
            session.rtp(stream, &Bytes::copy_from_slice(payload), 0);
        } else {
            sequence = sequence.wrapping_add(u16::from(place & 3));
            timestamp = timestamp.wrapping_add(u32::from(place >> 4) * 400);
            let mut header = Header::default();
            (header.marker, header.payload_type) = (place & 8 != 0, 96);
            (header.sequence, header.timestamp) = (sequence, timestamp);
            session.rtp(stream, &[&header.build()[..], payload].concat().into(), 0);
        }
        given += drained(&mut session);
    }
    session.finish();
    given += drained(&mut session);
    // Start codes, headers of images: a payload of a byte or two becomes a few hundred bytes at most.
    assert!(given <= fed * 8 + (fed + 1) * 800 + MAX_UNIT + MAX_WAITING_BYTES + MAX_GATHERED_BYTES);
}

fn drained(session: &mut Session) -> usize {
    session.take_warnings();
    std::iter::from_fn(|| session.poll()).map(|event| if let Event::Packet(packet) = event { packet.data.len() } else { 0 }).sum()
}
