//! Content of an input, to be compared with the declarations of its header: length, size, and the index of keyframes.

use maliu_core::{format::Declared, packet::Packet};

use super::{Kind, fault::kinds};

/// Most keyframes that an index is compared with.
const MAX_KEYS: usize = 1 << 20;

/// Most keyframes of a group that are looked at.
const MAX_IN_GROUP: usize = 256;

/// Where a fault stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub at: Option<u64>,
    /// In seconds.
    pub time: Option<f64>,
    pub stream: Option<usize>,
}

/// Packets as they follow each other.
pub(super) struct Found {
    /// Whether packets follow each other without junk between them.
    pub whole: bool,
    keys: Vec<Key>,
    /// Where the packet before ends, at least.
    end: u64,
    /// All in seconds.
    first: Option<f64>,
    last: f64,
    /// Latest time at which a packet is shown.
    shown: f64,
    gap: f64,
}

/// A keyframe: an index may lead to any place from behind the packet before it up to its own.
struct Key {
    lead: u64,
    at: u64,
    time: f64,
}

impl Default for Found {
    fn default() -> Self {
        Self { whole: true, keys: Vec::new(), end: 0, first: None, last: 0.0, shown: 0.0, gap: 0.0 }
    }
}

impl Found {
    /// Notes a packet, decoded and shown at these times in seconds.
    pub(super) fn packet(&mut self, packet: &Packet, time: Option<f64>, shown: Option<f64>, is_video: bool) {
        let Some(time) = time else { return };
        let first = *self.first.get_or_insert(time);
        self.gap = self.gap.max(time - self.last.max(first));
        self.last = self.last.max(time);
        self.shown = self.shown.max(shown.unwrap_or(time));
        let Some(at) = packet.position else { return };
        if is_video && packet.is_key() && self.keys.len() < MAX_KEYS {
            self.keys.push(Key { lead: self.end, at, time });
        }
        self.end = at.saturating_add(packet.data.len() as u64);
    }

    /// Compares with what the part of the header that `header` names declares, at the end of an input of `size` bytes.
    pub(super) fn judge(self, declared: &Declared, size: u64, header: &str) -> Vec<(Kind, Place, String)> {
        let mut faults = Vec::new();
        let nowhere = Place::default();
        let whole = self.whole && self.keys.len() < MAX_KEYS;
        match declared.duration {
            // A single frame has no length.
            Some(seconds) if seconds <= 0.0 && self.last == self.first.unwrap_or(0.0) => {}
            Some(seconds) if seconds > 0.0 => {
                if whole && !self.lasts(seconds) {
                    let what = format!("{header} declares {seconds:.3} s, the last packet is at {:.3} s", self.last);
                    faults.push((kinds::BAD_DURATION, nowhere, what));
                }
            }
            _ => faults.push((kinds::NO_DURATION, nowhere, format!("{header} declares no duration"))),
        }
        if let Some(bytes) = declared.size.filter(|bytes| *bytes > 0 && *bytes != size) {
            let what = format!("{header} declares {bytes} bytes, the file has {size}");
            faults.push((kinds::BAD_FILESIZE, nowhere, what));
        }
        match &declared.index {
            // Without video there are no keyframes to compare with.
            Some((places, times)) if whole && !self.keys.is_empty() => {
                let wrong = self.wrong_entry(places, times, declared.index_of_groups);
                faults.extend(wrong.map(|(place, what)| (kinds::BAD_INDEX, place, what)));
            }
            None if self.keys.len() > 1 => {
                faults.push((kinds::NO_INDEX, nowhere, format!("no index of the {} keyframes", self.keys.len())));
            }
            _ => {}
        }
        faults
    }

    /// Whether the packets last this many seconds. How long the last one stays is not known: as long as any
    /// other, at most.
    fn lasts(&self, seconds: f64) -> bool {
        let first = self.first.unwrap_or(0.0);
        let slack = self.gap.max(seconds / 100.0).max(1.0);
        let fits = |end: &f64| [*end, end - first].iter().any(|length| (seconds - length).abs() <= slack);
        [self.last, self.shown].iter().any(fits)
    }

    /// Of the keyframes that a group may hold, from this one on, the one whose time is nearest.
    fn nearest(&self, first: usize, time: f64) -> Option<&Key> {
        let held = self.keys.get(first..)?.iter().take(MAX_IN_GROUP);
        held.min_by(|a, b| (a.time - time).abs().total_cmp(&(b.time - time).abs()))
    }

    /// The first entry of the index that leads nowhere: what it declares, and what stands there.
    fn wrong_entry(&self, places: &[u64], times: &[f64], groups: bool) -> Option<(Place, String)> {
        if places.len() != times.len() {
            let what = format!("the index has {} places, but {} times", places.len(), times.len());
            return Some((Place::default(), what));
        }
        places.iter().zip(times).enumerate().find_map(|(n, (place, time))| {
            let after = self.keys.partition_point(|key| key.at < *place);
            let found = match groups {
                true => self.nearest(after, *time),
                false => self.keys.get(after).filter(|key| key.lead <= *place),
            };
            let Some(key) = found else {
                let at = Place { at: Some(*place), ..Place::default() };
                return Some((at, format!("entry {n} of the index leads to no keyframe")));
            };
            let what =
                format!("entry {n} of the index declares {time:.3} s, the keyframe there is at {:.3} s", key.time);
            let at = Place { at: Some(key.at), time: Some(key.time), stream: None };
            ((time - key.time).abs() > 1.0).then_some((at, what))
        })
    }
}
