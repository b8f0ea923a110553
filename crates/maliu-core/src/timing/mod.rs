//! When a packet happens: the rules of writing frames, once, for all formats (WF-27…WF-52).
