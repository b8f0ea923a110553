//! The command `maliu`.

use std::process::ExitCode;

fn main() -> ExitCode {
    maliu_cli::main()
}
