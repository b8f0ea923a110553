//! Sessions from datagrams to packets.

use alloc::{format, string::String, vec, vec::Vec};

use bytes::Bytes;

use super::{Header, Losses, MAX_GATHERED, Session, rtcp::SenderReport, sdp};
use crate::{format::Event, packet::Flags};

const TWO: &str = "v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 0 RTP/AVP 97\na=rtpmap:97 opus/48000/2\n";

fn session(text: &str, losses: Losses) -> Session {
    Session::new(&sdp::parse(text).unwrap(), losses)
}

fn rtp(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Bytes {
    let mut packet = Header { marker: true, payload_type, sequence, timestamp, ssrc: 1, ..Header::default() }.build();
    packet.extend_from_slice(payload);
    packet.into()
}

fn report(report: SenderReport) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    for word in [report.ssrc, (report.ntp >> 32) as u32, report.ntp as u32, report.timestamp, 0, 0] {
        packet.extend_from_slice(&word.to_be_bytes());
    }
    packet
}

/// One line per packet: stream, time, flags.
fn lines(session: &mut Session) -> Vec<String> {
    let events = core::iter::from_fn(|| session.poll());
    let line = |event| match event {
        Event::Packet(packet) => {
            let (key, corrupt) = (packet.is_key(), packet.flags.has(Flags::CORRUPT));
            let pts = packet.pts.map_or(i64::MIN, |pts| pts.0);
            Some(format!(
                "{} {pts}{}{}",
                packet.stream,
                if key { " key" } else { "" },
                if corrupt { " corrupt" } else { "" }
            ))
        }
        _ => None,
    };
    events.filter_map(line).collect()
}

#[test]
fn sender_reports_put_streams_on_one_time_line() {
    let mut session = session(TWO, Losses::Keep);
    let second = 1u64 << 32;
    session.rtcp(
        0,
        &report(SenderReport { ssrc: 1, ntp: 100 * second, timestamp: 4_294_967_000, ..SenderReport::default() }),
    );
    session.rtp(0, &rtp(96, 5, 4_294_967_000, &[0x65, 1]), 0);
    assert_eq!(lines(&mut session), [""; 0], "the audio clock is not known yet");
    session.rtp(1, &rtp(97, 9, 1000, &[0xfc, 1]), 0);
    session.rtcp(
        1,
        &report(SenderReport { ssrc: 1, ntp: 100 * second + second / 2, timestamp: 1000, ..SenderReport::default() }),
    );
    session.rtp(0, &rtp(96, 6, 2704, &[0x41, 1]), 0);
    assert_eq!(lines(&mut session), ["0 0 key", "1 24000 key", "0 3000"]);
    assert_eq!(session.wall_clock(1, crate::time::Ticks(24_000)), Some(100 * second + second / 2));
}

#[test]
fn rtp_info_puts_streams_on_one_time_line_at_once() {
    let mut session = session(TWO, Losses::Keep);
    session.begins(0, 90_000);
    session.begins(1, 48_000);
    session.rtp(1, &rtp(97, 9, 48_960, &[0xfc, 1]), 0);
    session.rtp(0, &rtp(96, 5, 90_000, &[0x65, 1]), 0);
    session.rtp(0, &rtp(96, 6, 93_600, &[0x41, 1]), 0);
    assert_eq!(lines(&mut session), ["1 960 key", "0 0 key", "0 3600"]);
}

#[test]
fn a_stream_that_never_reports_is_waited_for_within_bounds() {
    let mut session = session(TWO, Losses::Keep);
    let mut out = Vec::new();
    for n in 0..200u16 {
        session.rtp(1, &rtp(97, n, u32::from(n) * 960, &[0xfc, 1]), 0);
        out.extend(lines(&mut session));
        assert!(usize::from(n) + 1 - out.len() <= MAX_GATHERED.min(50), "{n}");
    }
    assert_eq!((out.len(), out.last().map(String::as_str)), (200, Some("1 191040 key")));
}

#[test]
fn losses_are_counted_and_flagged_or_waited_out() {
    for (losses, expected) in
        [(Losses::Keep, &["0 0 key", "0 2 corrupt", "0 3", "0 4 key"][..]), (Losses::Wait, &["0 0 key", "0 4 key"][..])]
    {
        let mut session = session("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n", losses);
        for (n, head) in [(0u16, 0x65), (2, 0x41), (3, 0x41), (4, 0x65)] {
            session.rtp(0, &rtp(96, n, n.into(), &[head, 1]), u64::from(n));
        }
        session.finish();
        assert_eq!(lines(&mut session), expected);
        let warnings = session.take_warnings();
        assert_eq!((session.lost(), warnings.len(), warnings[0].at), (1, 1, 2));
        assert_eq!(warnings[0].what, "1 packet lost in front of number 2");
    }
}

#[test]
fn a_source_that_is_replaced_goes_on_in_time() {
    let mut session = session("v=0\nm=audio 0 RTP/AVP 0\n", Losses::Keep);
    for n in 0..3u16 {
        session.rtp(0, &rtp(0, n, 160 * u32::from(n), &[0; 160]), 0);
    }
    let other = |n: u16| {
        let header = Header { sequence: n, timestamp: 9_000_000 + 160 * u32::from(n), ssrc: 2, ..Header::default() };
        [&header.build()[..], &[0; 160]].concat().into()
    };
    for n in 700..703 {
        session.rtp(0, &other(n), 0);
    }
    assert_eq!(lines(&mut session), ["0 0 key", "0 160 key", "0 320 key", "0 320 key", "0 480 key"]);
}

#[test]
fn any_bytes_in_any_order_end() {
    let mut state = 7u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let names = [
        "H264",
        "H265",
        "MPEG4-GENERIC",
        "MP4A-LATM",
        "opus",
        "L16",
        "G726-32",
        "MPA",
        "MPV",
        "VP8",
        "VP9",
        "AV1",
        "AC3",
        "JPEG",
        "x",
    ];
    for name in names {
        let text = format!("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 {name}/90000\na=fmtp:96 mode=AAC-hbr;config=1210\n");
        let mut session = session(&text, Losses::Keep);
        for n in 0..400u16 {
            let payload: Vec<u8> = (0..next() % 40).map(|_| next() as u8).collect();
            let sequence = n.wrapping_add((next() % 4) as u16);
            session.rtp(0, &rtp(96, sequence, next() % 3000, &payload), 0);
            while session.poll().is_some() {}
        }
        session.finish();
    }
}
