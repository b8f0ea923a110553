//! Drives any muxer: packets in, bytes out, by the rules of writing frames (WF-14…WF-59).
