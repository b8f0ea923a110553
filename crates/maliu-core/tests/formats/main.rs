//! Requirements on every format in the list: the samples read as dumped, and the battery.

mod battery;
mod dumps;
mod latency;
mod muxers;
mod samples;
mod seek;
mod trace;
