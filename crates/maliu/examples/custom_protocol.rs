//! A |header|data| protocol of one's own: bytes are pushed as they come, access units come out.
//!
//! Try it: `cargo run -p maliu --example custom_protocol`

use std::task::Poll;

use maliu::{Packet, format::Event, input::Input, layout};

/// 2 bytes magic, 4 bytes length, 4 bytes milliseconds, then an H.264 access unit behind start codes.
const MINE: &str = r#"
    name = "mine"
    header = [
      { name = "magic",  type = "u16", value = 0xCAFE },
      { name = "length", type = "u32", role = "length" },
      { name = "time",   type = "u32", role = "pts", clock = 1000 },
    ]
    body = { kind = "annexb", codec = "h264" }
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (first, second) =
        (b"\xca\xfe\0\0\0\x06\0\0\0\0\0\0\0\x01\x65\x88", b"\xca\xfe\0\0\0\x06\0\0\0\x28\0\0\0\x01\x41\x9a");
    let stream = [&first[..], b"line noise", second].concat();
    let warnings =
        units(stream.chunks(3), |unit| println!("{:?} key={} {:02x?}", unit.pts, unit.is_key(), &unit.data[..]))?;
    println!("{warnings:?}");
    Ok(())
}

/// Gives each access unit to `unit` when its last byte was pushed. Returns what was wrong with the bytes, and where.
pub(crate) fn units<'a, S>(
    slices: S,
    mut unit: impl FnMut(Packet),
) -> Result<Vec<(u64, String)>, Box<dyn std::error::Error>>
where
    S: Iterator<Item = &'a [u8]>, // from a socket, a serial line, a callback …
{
    let (mut reader, mut input) = (layout::reader(layout::parse(MINE)?)?, Input::new());
    for slice in slices.map(Some).chain([None]) {
        match slice {
            Some(bytes) => input.push(bytes),
            None => input.end(),
        }
        loop {
            match reader.poll(&mut input)? {
                Poll::Ready(Event::Packet(packet)) => unit(packet),
                Poll::Pending | Poll::Ready(Event::End) => break,
                _ => {}
            }
        }
    }
    Ok(input.take_warnings().0.into_iter().map(|warning| (warning.at, warning.what.into())).collect())
}
