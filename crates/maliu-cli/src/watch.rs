//! `--watch`: a command that runs again for every input that changes.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    context::Context,
    failure::{self, Failure, Result},
    input, many, paths,
};

/// Whether inputs are watched.
#[derive(clap::Args, Clone, Default)]
#[group(skip)]
pub(crate) struct Args {
    /// Report again whenever a file has changed and rests, or a new one appears; ends with Ctrl-C.
    #[arg(long)]
    pub watch: bool,
}

/// Time between two looks at the files.
const PERIOD: Duration = Duration::from_millis(500);

/// Size and time of the last change.
type State = Option<(u64, Option<SystemTime>)>;

impl Args {
    /// Runs a command for each file of `list`; with `--watch` again for those that change, until the program is ended.
    pub(crate) fn each(
        &self,
        context: &Context,
        list: impl Fn() -> Result<Vec<String>>,
        mut run: impl FnMut(&str) -> Result,
    ) -> Result {
        let files = list()?;
        if !self.watch {
            return many::each(&files, run);
        }
        if let Some(path) = files.iter().find(|path| *path == "-" || input::is_url(path)) {
            return Err(Failure::Usage(format!("--watch is about files, not about {}", input::name(path))));
        }
        context.stop.at_once();
        let mut known = BTreeMap::new();
        for path in files {
            known.insert(path.clone(), state(&path));
            report(run(&path))?;
        }
        let mut before = known.clone();
        loop {
            thread::sleep(PERIOD);
            // A folder that is gone for a moment may come back.
            let files = list().unwrap_or_default();
            let now: BTreeMap<String, State> = files.into_iter().map(|path| (path.clone(), state(&path))).collect();
            for (path, state) in &now {
                if known.get(path) != Some(state) && before.get(path) == Some(state) && state.is_some() {
                    known.insert(path.clone(), *state);
                    report(run(path))?;
                }
            }
            before = now;
        }
    }
}

/// Shows a failure that concerns one file.
fn report(done: Result) -> Result {
    match done {
        Err(Failure::Failed(why) | Failure::Unread(why)) => failure::say(&why),
        other => other?,
    }
    Ok(())
}

fn state(path: &str) -> State {
    let about = paths::of(path).metadata().ok()?;
    Some((about.len(), about.modified().ok()))
}
