//! Reads a whole input and reports its faults: what the reader remarks, what times and streams break, and what the
//! header declares and the input does not keep.
//!
//! ```text
//!   Source ─▶ PacketReader ─┬ remarks ──────────────────────┐
//!                           ├ packets ─▶ Lane, one a stream ─┼▶ Report: one Fault for each kind and stream, counted
//!                           └ Declared ─▶ Found ─────────────┘
//! ```
//!
//! ```
//! use maliu::{check, formats, io::File, reader::PacketReader};
//! # fn main() -> maliu::Result<()> {
//! let file = File::open("samples/flv/junk_and_wrong_size.flv")?;
//! let report = check::run(file, PacketReader::detect(formats::ALL))?;
//! for fault in &report.list {
//!     println!("{fault}");
//! }
//! assert!(report.faults > 0);
//! # Ok(()) }
//! ```

mod fault;
mod found;
mod mp4;
mod survey;

pub use fault::{Fault, Kind, Severity, kinds};
pub use survey::{MAX_LISTED, Report, run};
