//! Takes messages |length|type|data| over TCP: video goes to an FLV file, its first picture to PNG.
//! Length: 4 bytes, big-endian, of type and data. Type 1: an H.264 access unit behind start codes.

use std::{fs, io::Read, net::TcpListener, path::Path, task::Poll};

use maliu::{Event, blocking::Writer, formats, input::Input, io::AtomicFile, reader::PacketReader};
use maliu_decode::pictures::{Colour, Picture, pictures_for};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let (stream, peer) = TcpListener::bind("127.0.0.1:7000")?.accept()?;
    let units = receive(stream, Path::new("camera.flv"), Path::new("camera.png"))?;
    println!("{units} access units of {peer}");
    Ok(())
}

/// Takes messages until the peer closes; returns how many access units came.
pub(crate) fn receive(mut from: impl Read, flv: &Path, png: &Path) -> Result<u64> {
    let mut input = Input::new();
    let mut reader = PacketReader::of(&formats::h264::FORMAT, &[])?;
    let (mut writer, mut decoder, mut units) = (None, None, 0);
    let mut head = [0; 5];
    while from.read_exact(&mut head).is_ok() {
        let [a, b, c, d, kind] = head;
        let length = u32::from_be_bytes([a, b, c, d]).saturating_sub(1);
        let mut data = Vec::new();
        from.by_ref().take(length.into()).read_to_end(&mut data)?;
        if kind == 1 {
            input.push_bytes(data.into());
            reader.finish_unit();
        }
        while let Poll::Ready(event) = reader.poll(&mut input)? {
            if let Event::Stream(_, info) = event {
                decoder = Some(pictures_for(&info)?);
                let file = AtomicFile::create(flv)?;
                writer = Some(Writer::start(file, &formats::flv::FORMAT, &[], &[*info])?);
            } else if let (Event::Packet(packet), Some(writer)) = (event, &mut writer) {
                if let Some(first) = &mut decoder
                    && let Some(picture) = first.decode(&packet)?.first()
                {
                    fs::write(png, encode(picture)?)?;
                    decoder = None;
                }
                writer.write(packet)?;
                units += 1;
            }
        }
    }
    writer.ok_or("no video came")?.finish()?;
    Ok(units)
}

fn encode(picture: &Picture) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&picture.to_rgb(Colour::default()))?;
    Ok(file)
}
