//! What goes to stderr beside errors: warnings, and more of them with `-v`.

use tracing::Level;

/// How much is said.
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub struct Args {
    /// Say more on stderr; twice for details.
    #[arg(short, long, global = true, display_order = 100, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing but errors.
    #[arg(short, long, global = true, display_order = 100)]
    quiet: bool,
}

impl Args {
    /// Sends what is logged to stderr from here on.
    pub fn start(self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => Level::ERROR,
            (_, 0) => Level::WARN,
            (_, 1) => Level::INFO,
            _ => Level::DEBUG,
        };
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_max_level(level)
            .without_time()
            .with_target(false)
            .init();
    }
}
