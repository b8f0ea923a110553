//! Facts that a container leaves out, taken from what it carries, so that the output can say them: rates and durations.

use maliu_core::{
    packet::Packet,
    stream::{Codec, Media, StreamInfo},
    syntax::{aac::AudioSpecificConfig, h264, mpeg_audio},
    time::{Rounding, Ticks, TimeBase},
    timing::{samples, stored_bits},
};

/// Completes the description of a stream from its configuration and its first packet.
pub(super) fn complete(stream: &mut StreamInfo, first: Option<&Packet>) {
    let (codec, config) = (stream.codec, stream.config.clone());
    let base = stream.time_base;
    match &mut stream.media {
        Media::Audio(audio) if codec == Codec::Aac && audio.frame_size == 0 => {
            audio.frame_size = AudioSpecificConfig::parse(&config).map_or(1024, |config| config.frame_size());
        }
        Media::Audio(_) if codec == Codec::Mp3 && stream.bit_rate.is_none_or(|rate| rate == 0) => {
            let kbps = first.and_then(|packet| mpeg_audio::Header::parse(&packet.data)?.kbps());
            stream.bit_rate = kbps.map(|kbps| u64::from(kbps) * 1000);
        }
        Media::Audio(audio) if stream.bit_rate.is_none_or(|rate| rate == 0) => {
            let rate = u64::from(audio.rate()) * u64::from(audio.channel_count()) * u64::from(stored_bits(codec));
            stream.bit_rate = Some(rate).filter(|rate| *rate > 0);
        }
        Media::Video(video) if codec == Codec::H264 && video.frame_rate.is_none() => {
            let set = h264::Config::parse(&config).and_then(|config| h264::Sps::parse(config.sps.first()?));
            video.frame_rate = set.and_then(|set| set.frame_rate()).and_then(|rate| counted(rate, base));
        }
        _ => {}
    }
}

/// The rate of pictures that last a whole number of ticks each: what the reference measures, brought to a usual rate
/// within 1 %.
fn counted((num, den): (u32, u32), base: TimeBase) -> Option<(u32, u32)> {
    let ticks = TimeBase::new(den, num)?.rescale(Ticks(1), base, Rounding::Down).0;
    let (up, down) = (u64::from(base.den.get()), u64::try_from(ticks).ok()?.checked_mul(base.num.get().into())?);
    let measured = up as f64 / down as f64;
    let error = |rate: &u64| (measured / (*rate as f64 / UNIT as f64) - 1.0).abs();
    let usual = usual_rates().filter(|rate| error(rate) < 0.01).min_by(|a, b| error(a).total_cmp(&error(b)));
    let (up, down) = usual.map_or((up, down), |rate| (rate, UNIT));
    let common = gcd(up, down);
    Some((u32::try_from(up / common).ok()?, u32::try_from(down / common).ok()?)).filter(|_| down > 0)
}

/// Usual rates are counted in twelfths of a 1001st.
const UNIT: u64 = 12 * 1001;

/// Every twelfth up to 30, whole rates to 60, and those of television.
fn usual_rates() -> impl Iterator<Item = u64> {
    let twelfths = (1..=30 * 12).map(|n| n * 1001);
    let whole = (31..=60).map(|n| n * 1001 * 12);
    let high = [80, 120, 240].into_iter().map(|n| n * 1001 * 12);
    let television = [24, 30, 60, 12, 15, 48].into_iter().map(|n| n * 1000 * 12);
    twelfths.chain(whole).chain(high).chain(television)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// How long the packet lasts where the input does not say it but the codec does, in whole ticks of the input, rounded
/// down. A duration left at 0 is the writer's to guess.
pub(super) fn duration(stream: &StreamInfo, packet: &Packet) -> Ticks {
    let base = stream.time_base;
    let whole = |unit: Option<TimeBase>, count: i64| {
        unit.map_or(Ticks(0), |unit| unit.rescale(Ticks(count), base, Rounding::Down))
    };
    match &stream.media {
        Media::Video(video) if stream.codec == Codec::H264 => {
            whole(video.frame_rate.and_then(|(num, den)| TimeBase::new(den, num)), 1)
        }
        Media::Audio(audio) => {
            let count = samples(stream.codec, audio, stream.bit_rate, packet.data.len());
            whole(TimeBase::new(1, audio.rate()), count)
        }
        _ => Ticks(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maliu_core::stream::Audio;

    #[test]
    fn samples_of_constant_size_have_a_bit_rate() {
        for (codec, expected) in
            [(Codec::PcmS16Le, Some(1_411_200)), (Codec::AdpcmSwf, Some(352_800)), (Codec::Speex, None)]
        {
            let audio = Audio::new(44_100, 2);
            let mut stream = StreamInfo::new(codec, TimeBase::MILLIS, Media::Audio(audio));
            complete(&mut stream, None);
            assert_eq!(stream.bit_rate, expected, "{codec:?}");
        }
    }

    #[test]
    fn rates_are_what_whole_ticks_make_of_them() {
        for (rate, expected) in [((25, 1), (25, 1)), ((30, 1), (1000, 33)), ((24, 1), (293, 12)), ((50, 1), (50, 1))] {
            assert_eq!(counted(rate, TimeBase::MILLIS), Some(expected), "{rate:?}");
        }
    }
}
