//! maliu.
