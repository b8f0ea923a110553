//! Which commands there are. A new one is named twice here: its module and its row.

use crate::{context::Context, failure::Result};

mod check;
mod codecs;
mod completions;
mod decode;
mod formats;
mod layout;
mod loudness;
mod man;
mod nals;
mod plot;
mod probe;
mod receive;
mod relay;
mod remux;
mod repair;
mod report;
mod send;

macro_rules! commands {
    ($($name:ident $module:ident;)*) => {
        /// The command to run.
        #[derive(clap::Subcommand)]
        pub(crate) enum Command {
            $($name($module::Args),)*
        }

        impl Command {
            /// Does it.
            pub(crate) fn run(self, context: &Context) -> Result {
                match self {
                    $(Self::$name(args) => $module::run(args, context),)*
                }
            }
        }
    };
}

commands! {
    Probe probe;
    Decode decode;
    Remux remux;
    Check check;
    Repair repair;
    Nals nals;
    Loudness loudness;
    Plot plot;
    Report report;
    Send send;
    Receive receive;
    Relay relay;
    Formats formats;
    Codecs codecs;
    Layout layout;
    Completions completions;
    Man man;
}
