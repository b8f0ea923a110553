//! `maliu check`: what is wrong with a file, where, by which rule, and what helps.

use std::io::{self, Write};

use self::{fault::Fault, survey::Survey};
use crate::{
    failure::{Failure, Result},
    json,
};

mod fault;
mod survey;

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
}

const NOTES: &str =
    "Each fault has a code that does not change between versions, the byte and the time where it stands,
the rule it breaks (docs/write-frame.md, docs/differences.md) and what helps.

Codes: junk, cut, previous-size, unknown-tag, no-size, bad-config, no-config, dts-back, pts-before-dts, jump,
no-key, no-duration, unreadable, remark.";

/// Reads everything and reports.
pub fn run(args: Args) -> Result {
    let survey = Survey::of(&args.input, args.from.as_deref())?;
    let mut out = io::stdout().lock();
    if args.json {
        survey_json(&survey, &mut out)?
    } else {
        survey_text(&survey, &mut out)?
    }
    match survey.count {
        0 => Ok(()),
        count => Err(Failure::Failed(format!("{}: {count} faults", survey.name))),
    }
}

fn survey_text(survey: &Survey, out: &mut dyn Write) -> io::Result<()> {
    for fault in &survey.faults {
        writeln!(out, "{fault}")?;
    }
    let kept = survey.faults.len() as u64;
    if survey.count > kept {
        writeln!(out, "… and {} more", survey.count - kept)?;
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
        self.count += 1;
        if self.faults.len() < MAX_SHOWN {
            self.faults.push(fault);
        }
    }
}
