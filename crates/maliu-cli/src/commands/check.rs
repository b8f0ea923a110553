//! `maliu check`: the faults of a file, their places, rules and remedies.

use std::io::{self, Write};

use maliu::{
    Error,
    check::{self, Fault, Report, Severity},
    formats,
    reader::PacketReader,
};

use crate::{
    context::Context,
    failure::{Failure, Result},
    input, json, many, output, sums,
    terminal::Style,
    watch,
};

/// Reports the faults of files. Exit code 1 if there are any.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: many::Args,
    #[command(flatten)]
    watch: watch::Args,
    /// Format of the input (default: recognised by content).
    #[arg(short_alias = 'f', long, value_name = "FORMAT")]
    from: Option<String>,
    /// Print one JSON object per input.
    #[arg(long)]
    json: bool,
    /// Count notices as faults.
    #[arg(long)]
    strict: bool,
}

const NOTES: &str = "Each fault has a code that does not change between versions, the offset and time of its first occurrence, a count, \
     the rule it breaks and a remedy; docs/check.md lists them. Faults lose or damage content; notices do not: a file \
     without an index or a duration, such as a live recording, is faulty only with --strict. FLAC files are decoded and \
     compared with the MD5 they declare, except on standard input.";

/// Reads everything and reports.
pub(super) fn run(args: Args, context: &Context) -> Result {
    args.watch.each(context, || args.inputs.files(), |path| one(path, &args, context))
}

/// The report of one input.
fn one(path: &str, args: &Args, context: &Context) -> Result {
    let (name, source) = input::source(path, context)?;
    let mut report = check::run(source, reader(args.from.as_deref())?).map_err(|error| match error {
        Error::Io(error) => Failure::Unread(format!("reading {name}: {error}")),
        Error::Media(error) => Failure::while_("reading", &name, error),
    })?;
    if path != "-" && !input::is_url(path) && !context.has_places() {
        for (stream, what) in sums::wrong(path, args.from.as_deref(), context)? {
            report.add(check::kinds::CHECKSUM, Some(stream), what);
        }
    }
    output::print(context, |out| {
        let print = if args.json { print_json } else { print_text };
        Ok(print(&name, &report, out)?)
    })?;
    match report.faults + if args.strict { report.notices } else { 0 } {
        0 => Ok(()),
        1 => Err(Failure::Failed(format!("{name}: 1 fault"))),
        count => Err(Failure::Failed(format!("{name}: {count} faults"))),
    }
}

fn reader(from: Option<&str>) -> Result<PacketReader> {
    let Some(name) = from else { return Ok(PacketReader::detect(formats::ALL)) };
    let format = formats::named(name).ok_or_else(|| Failure::Usage(format!("no format is called {name}")))?;
    PacketReader::of(format, &[]).map_err(|error| Failure::Usage(error.to_string()))
}

fn print_text(name: &str, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for fault in &report.list {
        let style = if fault.kind.severity == Severity::Fault { Style::Fault } else { Style::Notice };
        // The code and what stands before it.
        let line = fault.to_string();
        let (head, rest) = line.split_at(line.find(fault.kind.code).unwrap_or(0) + fault.kind.code.len());
        writeln!(out, "{}{rest}", style.paint(head))?;
    }
    let listed: u64 = report.list.iter().map(|fault| fault.times).sum();
    let all = report.faults + report.notices;
    if all > listed {
        writeln!(out, "… and {} more", all - listed)?;
    }
    if report.faults == 0 {
        writeln!(out, "{name}: {}, {} packets, no fault", report.format, report.packets)?;
    }
    Ok(())
}

fn print_json(name: &str, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut root = json::object(out)?;
    root.string("file", name)?;
    root.string("format", report.format)?;
    root.bare("packets", report.packets)?;
    root.bare("fault_count", report.faults)?;
    root.bare("notice_count", report.notices)?;
    let mut list = root.array("faults")?;
    for fault in &report.list {
        let mut item = list.item()?;
        print_fault(fault, &mut item)?;
        item.close()?;
    }
    list.close()?;
    root.close()?;
    writeln!(out)
}

fn print_fault(fault: &Fault, item: &mut json::Open) -> io::Result<()> {
    item.string("code", fault.kind.code)?;
    item.string("severity", fault.kind.severity.name())?;
    if let Some(at) = fault.at {
        item.bare("offset", at)?;
    }
    if let Some(time) = fault.time {
        item.plain("time", format_args!("{time:.3}"))?;
    }
    if let Some(stream) = fault.stream {
        item.bare("stream", stream)?;
    }
    item.bare("times", fault.times)?;
    item.string("rule", fault.rule)?;
    item.string("what", &fault.what)?;
    item.string("fix", fault.fix)
}
