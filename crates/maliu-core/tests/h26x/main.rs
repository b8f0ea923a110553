//! H.264 and H.265 as raw streams: against other parsers, by properties, by latency, and on the corpus.

mod access_units;
mod corpus;
mod latency;
mod oracles;
mod properties;
mod refusals;
mod restarts;
