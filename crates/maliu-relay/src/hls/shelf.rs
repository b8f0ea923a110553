//! Old segments of a stream on disk: time shift, and the recording that is left when the stream ends.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{hooks::Event, hub::Hub, name::Name, pattern};

/// Files that wait to be written; where the disk is slower, segments are left out.
const QUEUE: usize = 16;

/// Work for the disk.
pub(super) enum Job {
    /// A file, which is new.
    Write(String, Vec<Bytes>),
    /// Files that nothing lists any more.
    Remove(Vec<String>),
}

/// The folder of a stream, whose files are written one after another in a thread.
#[derive(Debug)]
pub(super) struct Shelf {
    jobs: mpsc::Sender<Job>,
    hub: Arc<Hub>,
}

/// The folder of a stream below that of the settings.
pub(crate) fn folder(root: &str, name: &Name) -> PathBuf {
    Path::new(root).join(pattern::filled("{app}/{stream}", &name.to_string(), pattern::escaped))
}

impl Shelf {
    /// A shelf whose thread writes below `root`, until it is dropped.
    pub(super) fn new(hub: Arc<Hub>, root: &str, name: &Name) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (folder, name) = (folder(root, name), name.to_string());
        let worker = hub.worker();
        tokio::task::spawn_blocking(move || {
            work(&worker.0, &folder, &name, waiting);
            drop(worker);
        });
        Self { jobs, hub }
    }

    /// Has a job done later; drops it where too many wait.
    pub(super) fn put(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            self.hub.metrics.recordings_failed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("the disk is too slow: a segment is not kept");
        }
    }

    /// Has the last job done.
    pub(super) async fn last(&self, job: Job) {
        // The thread ends with the shelf, not before.
        let _ = self.jobs.send(job).await;
    }
}

fn work(hub: &Hub, folder: &Path, name: &str, mut waiting: mpsc::Receiver<Job>) {
    let mut failed = false;
    while let Some(job) = waiting.blocking_recv() {
        match job {
            Job::Write(file, data) => {
                let path = folder.join(&file);
                match write(folder, &path, &data) {
                    Ok(()) if file.ends_with(".m3u8") => {
                        let path = Some(path.display().to_string());
                        hub.report(Event { action: "record", name: name.to_owned(), path });
                    }
                    Ok(()) => failed = false,
                    Err(error) => {
                        hub.metrics.recordings_failed.fetch_add(1, Ordering::Relaxed);
                        // Once, and not for each segment of a full disk.
                        if !std::mem::replace(&mut failed, true) {
                            tracing::error!("{name}: a segment is not kept: {}: {error}", path.display());
                        }
                    }
                }
            }
            Job::Remove(files) => files.iter().for_each(|file| {
                // One that could not be written is not there.
                let _ = fs::remove_file(folder.join(file));
            }),
        }
    }
    // Nothing is left of a stream without a recording.
    let _ = fs::remove_dir(folder);
}

/// Writes a file under another name first, so that no request gets half of it.
fn write(folder: &Path, path: &Path, data: &[Bytes]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let half = path.with_extension("part");
    let mut file = fs::File::create(&half)?;
    data.iter().try_for_each(|part| file.write_all(part))?;
    drop(file);
    fs::rename(half, path)
}
