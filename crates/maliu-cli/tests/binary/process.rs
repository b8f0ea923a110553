//! The built binary as a process that runs beside the test.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// A process that does not outlive its test.
pub(crate) struct Process(pub Child);

impl Process {
    /// Starts it; what it says on stderr is lost.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maliu"));
        Self(command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Starts what listens, with --json; its address and the fingerprint of its certificate.
    pub(crate) fn listening(args: &[&str]) -> (Self, String, Option<String>) {
        let mut process = Self::start(args);
        let line = process.next_line();
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        (process, text("address").unwrap(), text("fingerprint"))
    }

    /// The next line of JSON.
    pub(crate) fn next_line(&mut self) -> Value {
        let (mut line, mut byte) = (Vec::new(), [0]);
        // No further than the line: others may follow.
        while byte != *b"\n" && self.0.stdout.as_mut().unwrap().read(&mut byte).unwrap() > 0 {
            line.extend(byte);
        }
        serde_json::from_slice(&line).unwrap()
    }

    /// The exit code, if it ends in time.
    pub(crate) fn ends_within(&mut self, seconds: u64) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
