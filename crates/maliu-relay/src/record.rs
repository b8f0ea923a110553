//! Recordings: a stream as FLV files that only ever grow, so that each is whole up to its last tag whatever happens.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use maliu::{live::Join, wire::rtmp::Tag};
use tokio::{task::spawn_blocking, time::sleep};

use crate::{
    channel::Channel,
    config::Record,
    follower::{Follower, Step},
    hooks::Event,
    hub::Hub,
    pattern,
};

/// Between two writes.
const EVERY: Duration = Duration::from_millis(500);

/// Between two times at which the system is asked to have all on the disk.
const SYNC: Duration = Duration::from_secs(2);

/// Records a channel to its end. When a file cannot be written, recording stops, and the stream goes on.
pub(crate) async fn run(hub: Arc<Hub>, channel: Arc<Channel>, record: Record) {
    let name = channel.name.to_string();
    let mut follower = Follower::new(channel, Join::First);
    let mut recording = Recording { hub: Arc::clone(&hub), record, name, file: None };
    loop {
        let next = follower.next().await;
        let ended = next.is_none();
        let (flags, steps) = next.unwrap_or_default();
        // A file that begins here is to have the configurations in force.
        let begins = steps.iter().filter(|step| step.begins).filter_map(|step| step.seq);
        let configs: Vec<(u64, Vec<Tag>)> = match begins.min() {
            Some(seq) => vec![(seq, follower.configs(seq))],
            None => Vec::new(),
        };
        let written = spawn_blocking(move || {
            let written = recording.write(flags, &steps, &configs, ended);
            (recording, written)
        });
        match written.await {
            Ok((back, Ok(()))) => recording = back,
            Ok((back, Err(error))) => {
                hub.metrics.recordings_failed.fetch_add(1, Ordering::Relaxed);
                return tracing::error!("{}: recording stops: {error}", back.name);
            }
            Err(_) => return,
        }
        if ended {
            return;
        }
        sleep(EVERY).await;
    }
}

struct Recording {
    hub: Arc<Hub>,
    record: Record,
    name: String,
    file: Option<Open>,
}

struct Open {
    file: File,
    path: PathBuf,
    /// The time of the stream at which it begins, in ms.
    first: i64,
    synced: Instant,
}

impl Recording {
    fn write(&mut self, flags: u8, steps: &[Step], configs: &[(u64, Vec<Tag>)], ended: bool) -> io::Result<()> {
        let mut bytes = Vec::new();
        for step in steps {
            let split = self.record.split.and_then(|split| i64::try_from(split.as_millis()).ok());
            let due = self.file.as_ref().zip(split).is_some_and(|(open, split)| step.time - open.first >= split);
            let configs = configs.iter().find(|(seq, _)| step.begins && step.seq == Some(*seq));
            let again = configs.filter(|_| due).map(|(_, configs)| configs);
            if self.file.is_none() || again.is_some() {
                self.flush(&mut bytes, true)?;
                self.file = Some(self.open(step.time)?);
                bytes.extend_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
                again.into_iter().flatten().for_each(|tag| put(tag, 0, &mut bytes));
            }
            let first = self.file.as_ref().map_or(step.time, |open| open.first);
            put(&step.tag, step.time.saturating_sub(first).max(0), &mut bytes);
        }
        self.flush(&mut bytes, ended)
    }

    fn flush(&mut self, bytes: &mut Vec<u8>, ends: bool) -> io::Result<()> {
        let Some(open) = &mut self.file else { return Ok(()) };
        let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", open.path.display()));
        open.file.write_all(bytes).map_err(at)?;
        bytes.clear();
        if ends || open.synced.elapsed() >= SYNC {
            open.file.sync_data().map_err(at)?;
            open.synced = Instant::now();
        }
        Ok(())
    }

    /// A new file for the stream from this time on.
    fn open(&self, first: i64) -> io::Result<Open> {
        let text = pattern::filled(&self.record.path, &self.name, pattern::escaped);
        let path = PathBuf::from(text.replace("{start}", &date(SystemTime::now())));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        // A file that is there stays as it is.
        for number in 0..1000 {
            let path = if number == 0 { path.clone() } else { numbered(&path, number) };
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    tracing::info!("{} is recorded as {}", self.name, path.display());
                    let named = Some(path.display().to_string());
                    self.hub.report(Event { action: "record", name: self.name.clone(), path: named });
                    return Ok(Open { file, path, first, synced: Instant::now() });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} and 999 others are there", path.display())))
    }
}

fn put(tag: &Tag, time: i64, out: &mut Vec<u8>) {
    let tag = Tag { time: time as u32, ..tag.clone() };
    out.extend_from_slice(&tag.head());
    out.extend_from_slice(&tag.body);
    out.extend_from_slice(&tag.tail());
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{number}.flv"))
}

/// A moment as `20261130T174500Z`.
fn date(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = ((seconds / 86_400) as i64, seconds % 86_400);
    // Days since 1970-01-01 as a date of the Gregorian calendar; its years are counted from March here.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * from_march + 2) / 5 + 1, (from_march + 2) % 12 + 1);
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_dates() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_796_061_599, "20261130T175959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
