//! `peers WHO FILE`: what other crates make of a file, as a process that can be timed. Prints what it counted.

use std::{error::Error, fs::File, io::Cursor, io::Read};

use bytes::{Buf, Bytes};

use h264_reader::{
    annexb::AnnexBReader,
    nal::{Nal, RefNal},
    push::NalInterest,
};
use scuffle_flv::{header::FlvHeader, tag::FlvTag};
use symphonia::core::{codecs::audio::AudioDecoderOptions, errors, formats::TrackType, io::MediaSourceStream};

/// As much as maliu reads at a time.
const BLOCK: usize = 256 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, who, path] = args.as_slice() else { return Err("peers symphonia|scuffle-flv|h264-reader FILE".into()) };
    let (count, what) = match who.as_str() {
        "symphonia" => (symphonia(path)?, "samples"),
        "scuffle-flv" => (scuffle_flv(path)?, "tags"),
        "h264-reader" => (h264_reader(path)?, "NAL units"),
        _ => return Err(format!("no peer is called {who}").into()),
    };
    println!("{count} {what}");
    Ok(())
}

/// Symphonia's own reader and decoder, to interleaved 16-bit samples.
fn symphonia(path: &str) -> Result<u64, Box<dyn Error>> {
    let stream = MediaSourceStream::new(Box::new(File::open(path)?), Default::default());
    let probe = symphonia::default::get_probe();
    let mut format = probe.probe(&Default::default(), stream, Default::default(), Default::default())?;
    let track = format.default_track(TrackType::Audio).ok_or("no sound")?;
    let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or("no codec")?;
    let codecs = symphonia::default::get_codecs();
    let mut decoder = codecs.make_audio_decoder(params, &AudioDecoderOptions::default())?;
    let (mut samples, mut count) = (Vec::<i16>::new(), 0);
    while let Some(packet) = format.next_packet()? {
        match decoder.decode(&packet) {
            Ok(buffer) => {
                samples.resize(buffer.samples_interleaved(), 0);
                buffer.copy_to_slice_interleaved(&mut samples);
                count += samples.len() as u64;
            }
            Err(errors::Error::DecodeError(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(count)
}

/// Tag by tag over the whole file in memory, which is what its reader takes.
fn scuffle_flv(path: &str) -> Result<u64, Box<dyn Error>> {
    let mut cursor = Cursor::new(Bytes::from(std::fs::read(path)?));
    FlvHeader::demux(&mut cursor)?;
    let mut count = 0;
    while cursor.remaining() > 4 {
        cursor.advance(4);
        FlvTag::demux(&mut cursor)?;
        count += 1;
    }
    Ok(count)
}

/// Each NAL unit put together, as a packet would need it.
fn h264_reader(path: &str) -> Result<u64, Box<dyn Error>> {
    let mut count = 0;
    let mut reader = AnnexBReader::accumulate(|unit: RefNal<'_>| {
        count += u64::from(unit.is_complete());
        NalInterest::Buffer
    });
    let (mut file, mut block) = (File::open(path)?, vec![0; BLOCK]);
    loop {
        let got = file.read(&mut block)?;
        if got == 0 {
            break;
        }
        reader.push(&block[..got]);
    }
    reader.reset();
    drop(reader);
    Ok(count)
}
