//! `maliu decode` of many inputs, each to a file of its own in one folder.

use std::{
    collections::HashSet,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread::{Builder, available_parallelism},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Args, Container, one};
use crate::{
    context::Context,
    failure::{self, Failure, Result},
    many, paths,
    stop::Stop,
};

/// Decodes all inputs, `jobs` at a time. A failure is reported and does not keep the other inputs from being written.
pub(super) fn run(args: Args, jobs: usize, stop: &Stop) -> Result {
    let (inputs, directory) = names(&args)?;
    let outputs = outputs(&inputs, &directory, container(&args)?.extension());
    let tasks: Vec<_> = inputs.iter().zip(outputs).collect();
    let cores = || available_parallelism().map_or(1, usize::from);
    let workers = if jobs == 0 { cores() } else { jobs }.min(tasks.len());
    let bar = bar(tasks.len());
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let serve = || {
        while let Some((input, output)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(failure) = decode(&args, input, output, stop) {
                failed.fetch_add(1, Ordering::Relaxed);
                bar.suspend(|| failure::say(&failure.to_string()));
            }
            bar.inc(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            // Fewer threads are slower, not wrong.
            let _ = Builder::new().spawn_scoped(scope, serve);
        }
        serve();
    });
    bar.finish_and_clear();
    match failed.into_inner() {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!("{failed} of {} inputs failed", tasks.len()))),
    }
}

fn decode(args: &Args, input: &str, output: &Path, stop: &Stop) -> Result {
    let output = output.to_str().ok_or_else(|| Failure::Failed(format!("{}: no name for text", output.display())))?;
    let mut args = Args {
        output: output.to_owned(),
        jobs: None,
        recursive: false,
        threads: args.threads.max(1),
        more: Vec::new(),
        ..args.clone()
    };
    input.clone_into(&mut args.input.path);
    args.hush = true;
    let _span = tracing::warn_span!("decode", input).entered();
    one(args, &Context::new(false, stop))
}

/// The container of all outputs: WAV unless set otherwise.
fn container(args: &Args) -> Result<Container> {
    match &args.to {
        Some(_) => super::container(args),
        None => Ok(Container::WAV),
    }
}

/// The inputs, and the directory, which is made if it is not there.
fn names(args: &Args) -> Result<(Vec<String>, PathBuf)> {
    let mut names = vec![args.input.path.clone(), args.output.clone()];
    names.extend(args.more.iter().cloned());
    let directory = names.pop().unwrap_or_default();
    let names = many::files(&names, args.recursive)?;
    if names.iter().any(|name| name == "-") {
        return Err(Failure::Usage("of many inputs every one is a file".to_owned()));
    }
    std::fs::create_dir_all(paths::of(&directory)).map_err(|error| Failure::while_("making", &directory, error))?;
    Ok((names, directory.into()))
}

/// A file for each input: of its name, or where another has that name already, of its name with what it ended in, or
/// with a number.
fn outputs(inputs: &[String], directory: &Path, extension: &str) -> Vec<PathBuf> {
    // No input is written over.
    let real = |path: &Path| {
        let real = paths::of(path.to_str().unwrap_or_default()).canonicalize();
        real.map_or_else(|_| path.to_owned(), |real| paths::text(real.into()).into())
    };
    let directory = real(directory);
    let mut taken: HashSet<PathBuf> = inputs.iter().map(|input| real(Path::new(input))).collect();
    let name = |input: &String| {
        let path = Path::new(input);
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let (stem, whole) = (part(path.file_stem()), part(path.file_name()));
        let names = [stem, whole.clone()].into_iter().chain((2..).map(move |n| format!("{whole}.{n}")));
        names.map(|name| directory.join(format!("{name}.{extension}")))
    };
    let free = |input| name(input).find(|path| taken.insert(path.clone()));
    inputs.iter().filter_map(free).collect()
}

fn bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos} of {len}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_collide() {
        let inputs = ["a/x.mp3", "b/x.aac", "c/x.aac", "d/x.aac", "y"].map(str::to_owned);
        let names = outputs(&inputs, Path::new("/no/such/place"), "wav");
        let names: Vec<_> = names.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["x.wav", "x.aac.wav", "x.aac.2.wav", "x.aac.3.wav", "y.wav"]);
    }

    #[test]
    fn an_input_is_not_written_over() {
        let inputs = ["/no/such/place/x.wav".to_owned()];
        assert_eq!(outputs(&inputs, Path::new("/no/such/place"), "wav"), [PathBuf::from("/no/such/place/x.wav.wav")]);
    }
}
