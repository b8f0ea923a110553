//! Counts of one source, as receiver reports want them (RFC 3550 §A.3, §A.8).

use core::time::Duration;

use super::{
    header::Header,
    rtcp::{ReportBlock, SenderReport},
};

/// Follows one source. Times are those of any clock that only moves forward.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// First and highest number, wraps included.
    numbers: Option<(u64, u64)>,
    received: u64,
    ssrc: u32,
    /// Ticks in a second.
    clock: u32,
    transit: Option<u32>,
    /// In 16ths of a tick.
    jitter: u32,
    report: Option<(u32, Duration)>,
    /// Packets that were expected and received at the last report.
    before: (u64, u64),
}

impl Statistics {
    /// For a source whose timestamps count `clock` ticks a second.
    pub fn new(clock: u32) -> Self {
        Self { clock, ..Self::default() }
    }

    /// A packet arrived at `now`.
    pub fn observe(&mut self, header: &Header, now: Duration) {
        if self.numbers.is_none() || self.ssrc != header.ssrc {
            *self = Self { ssrc: header.ssrc, ..Self::new(self.clock) };
        }
        self.received = self.received.saturating_add(1);
        let number = u64::from(header.sequence);
        let (first, highest) = self.numbers.unwrap_or((number, number));
        let step = header.sequence.wrapping_sub(highest as u16);
        let highest = if step < 0x8000 { highest.saturating_add(u64::from(step)) } else { highest };
        self.numbers = Some((first, highest));
        let arrival = now.as_nanos().wrapping_mul(u128::from(self.clock)) / 1_000_000_000;
        let transit = (arrival as u32).wrapping_sub(header.timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let deviation = (transit.wrapping_sub(before) as i32).unsigned_abs().min(u32::MAX >> 5);
            self.jitter = self.jitter.saturating_add(deviation).saturating_sub(self.jitter.saturating_add(8) >> 4);
        }
    }

    /// A sender report arrived at `now`.
    pub fn reported(&mut self, report: &SenderReport, now: Duration) {
        self.report = Some(((report.ntp >> 16) as u32, now));
    }

    /// Packets that are missing so far.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// The block of a report at `now`; `None` before a packet came.
    pub fn block(&mut self, now: Duration) -> Option<ReportBlock> {
        let (_, highest) = self.numbers?;
        let expected = self.expected();
        let interval = expected.saturating_sub(self.before.0);
        let lost = interval.saturating_sub(self.received.saturating_sub(self.before.1));
        self.before = (expected, self.received);
        let (last_report, since) = self.report.map_or((0, Duration::ZERO), |(ntp, at)| (ntp, now.saturating_sub(at)));
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost << 8).checked_div(interval).map_or(0, |part| part.min(255) as u8),
            lost: i32::try_from(expected as i64 - self.received as i64).unwrap_or(i32::MAX),
            highest: highest as u32,
            jitter: self.jitter >> 4,
            last_report,
            since_report: u32::try_from((since.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX),
        })
    }

    fn expected(&self) -> u64 {
        self.numbers.map_or(0, |(first, highest)| highest - first + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_and_jitter_are_those_of_the_rfc() {
        let mut statistics = Statistics::new(8000);
        assert_eq!(statistics.block(Duration::ZERO), None);
        for number in [65_533u16, 65_534, 65_535, 1, 2] {
            let sent = u32::from(number.wrapping_sub(65_533)) * 160;
            let header = Header { sequence: number, timestamp: sent, ssrc: 3, ..Header::default() };
            statistics.observe(&header, Duration::from_millis(u64::from(sent / 8)));
        }
        let report = SenderReport { ntp: 0x1234_5678_9abc_def0, ..SenderReport::default() };
        statistics.reported(&report, Duration::from_secs(1));
        let block = statistics.block(Duration::from_millis(1500)).unwrap();
        assert_eq!((block.lost, block.fraction_lost, block.highest, block.jitter), (1, 42, 65_538, 0));
        assert_eq!((block.last_report, block.since_report), (0x5678_9abc, 0x8000));
        assert_eq!(statistics.block(Duration::from_secs(2)).unwrap().fraction_lost, 0, "since the last one");
    }
}
