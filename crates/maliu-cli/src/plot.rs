//! Pictures of the course of an input, as SVG and PNG.

pub(crate) use self::{canvas::escaped, charts::Chart, course::Course, style::STYLE};

mod bins;
mod canvas;
mod charts;
mod course;
mod letters;
mod style;
