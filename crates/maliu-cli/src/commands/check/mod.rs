//! `maliu check`: what is wrong with a file, where, by which rule, and what helps.

use std::io::{self, Write};

use self::{
    fault::{Fault, Severity},
    survey::Survey,
};
use crate::{
    failure::{Failure, Result},
    json, output,
};

mod fault;
mod survey;
mod tags;

/// Tells what is wrong with a file. Exit code 1 if anything is.
#[derive(clap::Args)]
#[command(after_help = NOTES)]
pub struct Args {
    /// File to read; - is standard input.
    #[arg(value_name = "IN")]
    input: String,
    /// Format of the input; it is recognised by its content otherwise.
    #[arg(short, long, value_name = "FORMAT")]
    from: Option<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Notices count as faults.
    #[arg(long)]
    strict: bool,
}

const NOTES: &str =
    "Each fault has a code that does not change between versions, the byte and the time where it stands,
the rule it breaks and what helps; docs/check.md lists them. Faults lose or spoil something; notices do not: a file
without an index or a duration, as every live recording is, is no faulty file unless --strict is given.";

/// Reads everything and reports.
pub fn run(args: Args) -> Result {
    let survey = Survey::of(&args.input, args.from.as_deref())?;
    output::print(|out| {
        let print = if args.json { survey_json } else { survey_text };
        Ok(print(&survey, out)?)
    })?;
    match survey.count + if args.strict { survey.notices } else { 0 } {
        0 => Ok(()),
        1 => Err(Failure::Failed(format!("{}: 1 fault", survey.name))),
        count => Err(Failure::Failed(format!("{}: {count} faults", survey.name))),
    }
}

fn survey_text(survey: &Survey, out: &mut dyn Write) -> io::Result<()> {
    for fault in &survey.faults {
        writeln!(out, "{fault}")?;
    }
    let (all, kept) = (survey.count + survey.notices, survey.faults.len() as u64);
    if all > kept {
        writeln!(out, "… and {} more", all - kept)?;
    }
    if survey.count == 0 {
        writeln!(out, "{}: {}, {} packets, no fault", survey.name, survey.format, survey.packets)?;
    }
    Ok(())
}

fn survey_json(survey: &Survey, out: &mut dyn Write) -> io::Result<()> {
    let mut root = json::object(out)?;
    root.string("file", &survey.name)?;
    root.string("format", survey.format)?;
    root.bare("packets", survey.packets)?;
    root.bare("fault_count", survey.count)?;
    root.bare("notice_count", survey.notices)?;
    let mut list = root.array("faults")?;
    for fault in &survey.faults {
        let mut item = list.item()?;
        fault.json(&mut item)?;
        item.close()?;
    }
    list.close()?;
    root.close()?;
    writeln!(out)
}

/// Most faults that are shown; more are counted.
const MAX_SHOWN: usize = 1000;

impl Survey {
    fn add(&mut self, fault: Fault) {
        match fault.kind.severity {
            Severity::Fault => self.count += 1,
            Severity::Notice => self.notices += 1,
        }
        if self.faults.len() < MAX_SHOWN {
            self.faults.push(fault);
        }
    }
}
