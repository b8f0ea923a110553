//! The settings of writing.

use alloc::{format, vec::Vec};

use crate::{
    error::{Error, Result},
    settings::{Help, Settings},
    time::Ticks,
};

const fn help(name: &'static str, value: &'static str, default: &'static str, what: &'static str) -> Help {
    Help { name, value, default, what }
}

/// Names of the settings.
pub(in super::super) const WRITING: &[Help] = &[
    help(
        "rate",
        "BITS",
        "variable",
        "Writing: constant bits per second of 188-byte packets, filled with null packets.",
    ),
    help("packet", "188|192|204", "188", "Writing: bytes per packet; 192 with arrival clocks, 204 with parity."),
    help("latm", "0|1", "0", "Writing: AAC in LATM instead of ADTS."),
    help("dvb", "0|1", "0", "Writing: AC-3 and E-AC-3 as DVB declares them, not as ATSC does."),
    help("delay", "TIME", "0.7", "Writing: how far the clock runs before decoding times."),
    help("copy_times", "0|1", "0", "Writing: never move times to make room for the delay."),
    help(
        "program",
        "NUMBER|first|all",
        "1, all",
        "Writing: program_number. Reading: read the streams of this program only.",
    ),
    help("key", "IV:KEY", "none", "Reading: decrypt an HLS segment, AES-128 or SAMPLE-AES."),
    help("audit", "0|1", "0", "Reading: collect the tables and what breaks TR 101 290."),
    help("stream_id", "NUMBER", "1", "Writing: transport_stream_id."),
    help("network_id", "NUMBER", "65281", "Writing: original_network_id."),
    help("map_pid", "PID", "4096", "Writing: the PID of the program map (256 for packets of 192 bytes)."),
    help("pids", "keep|PID,…", "256,…", "Writing: the PIDs of the streams; `keep` takes those of the input."),
    help("pcr_period", "TIME", "40ms", "Writing: longest time between two clock references, at most 100ms."),
    help("psi_period", "TIME", "100ms", "Writing: longest time between two program tables, at most 500ms."),
    help("sdt_period", "TIME", "1", "Writing: longest time between two service tables; 0 for none."),
    help("discontinuity", "0|1", "0", "Writing: mark the first packet of each PID as discontinuous, to append it."),
];

/// Which PIDs streams get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pids {
    Counted,
    Kept,
    Listed(Vec<u16>),
}

/// The settings, typed. Times are in 1/90000 s.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub rate: Option<u64>,
    /// Bytes per packet.
    pub packet: usize,
    pub latm: bool,
    pub dvb: bool,
    pub delay: i64,
    pub copy_times: bool,
    pub program: u16,
    pub stream_id: u16,
    pub network_id: u16,
    pub map_pid: u16,
    pub pids: Pids,
    pub pcr_period: i64,
    pub psi_period: i64,
    pub sdt_period: i64,
    pub discontinuity: bool,
}

/// First and last PID that standards leave free.
pub(super) const FREE_PIDS: core::ops::RangeInclusive<u16> = 0x20..=0x1ffe;

impl Options {
    pub(super) fn parse(pairs: &[(&str, &str)]) -> Result<Self> {
        let mut settings = Settings::new(pairs, WRITING);
        let packet = settings.choice("packet", &[("188", 188), ("192", 192), ("204", 204)])?.unwrap_or(188);
        let rate = settings.number("rate", 10_000, 1_000_000_000)?;
        let number = |settings: &mut Settings, name, low, high, default: i64| -> Result<u16> {
            Ok(u16::try_from(settings.number(name, low, high)?.unwrap_or(default)).unwrap_or(0))
        };
        let (first, last) = (i64::from(*FREE_PIDS.start()), i64::from(*FREE_PIDS.end()));
        let options = Self {
            rate: rate.and_then(|rate| u64::try_from(rate).ok()),
            packet: usize::try_from(packet).unwrap_or(188),
            latm: settings.flag("latm")?.unwrap_or(false),
            dvb: settings.flag("dvb")?.unwrap_or(false),
            delay: span(&mut settings, "delay", (0, 10_000_000), 700_000)?,
            copy_times: settings.flag("copy_times")?.unwrap_or(false),
            program: number(&mut settings, "program", 1, 65_535, 1)?,
            stream_id: number(&mut settings, "stream_id", 0, 65_535, 1)?,
            network_id: number(&mut settings, "network_id", 0, 65_535, 0xff01)?,
            map_pid: number(&mut settings, "map_pid", first, last, if packet == 192 { 0x100 } else { 0x1000 })?,
            pids: pids(settings.text("pids"))?,
            pcr_period: span(&mut settings, "pcr_period", (1_000, 100_000), 40_000)?,
            psi_period: span(&mut settings, "psi_period", (1_000, 500_000), 100_000)?,
            sdt_period: span(&mut settings, "sdt_period", (0, 10_000_000), 1_000_000)?,
            discontinuity: settings.flag("discontinuity")?.unwrap_or(false),
        };
        settings.finish()?;
        Ok(options)
    }
}

/// A time between two others in µs, in 1/90000 s.
fn span(settings: &mut Settings, name: &str, (low, high): (i64, i64), default: i64) -> Result<i64> {
    let Ticks(micros) = settings.duration(name)?.unwrap_or(Ticks(default));
    if !(low..=high).contains(&micros) {
        let why = format!("must lie between {low}us and {high}us");
        return Err(Error::Setting { name: name.into(), why });
    }
    Ok(micros * 9 / 100)
}

fn pids(text: Option<&str>) -> Result<Pids> {
    let list = match text {
        None => return Ok(Pids::Counted),
        Some("keep") => return Ok(Pids::Kept),
        Some(list) => list,
    };
    let pid = |text: &str| text.trim().parse().ok().filter(|pid| FREE_PIDS.contains(pid));
    match list.split(',').map(pid).collect() {
        Some(list) => Ok(Pids::Listed(list)),
        None => {
            let why = format!("{list:?} is neither keep nor a list of PIDs from 32 to 8190");
            Err(Error::Setting { name: "pids".into(), why })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_typed_and_bounded() {
        let options = Options::parse(&[("rate", "5000000"), ("delay", "0.5"), ("pids", "100,200")]).unwrap();
        assert_eq!((options.rate, options.delay, options.pcr_period), (Some(5_000_000), 45_000, 3_600));
        assert_eq!(options.pids, Pids::Listed(alloc::vec![100, 200]));
        for pair in [("rate", "1"), ("packet", "190"), ("pids", "31"), ("pcr_period", "1"), ("psi_period", "1")] {
            assert!(matches!(Options::parse(&[pair]), Err(Error::Setting { .. })), "{pair:?}");
        }
    }
}
