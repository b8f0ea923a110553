//! Capabilities that ends of Enhanced RTMP announce in `connect` and its answer (Enhanced RTMP v2, “Enhancing
//! NetConnection connect Command”).

use alloc::{string::String, vec::Vec};

use crate::syntax::amf::Value;

/// Bits of `capsEx`.
const RECONNECT: u32 = 1;
const MULTITRACK: u32 = 2;
const MOD_EX: u32 = 4;
const TIMESTAMP_NANO_OFFSET: u32 = 8;

/// The bit of a FourCC's mask that says it is passed on as it is.
const CAN_FORWARD: u32 = 4;

/// Every codec.
const ANY: &str = "*";

/// Abilities of one end beyond RTMP 1.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It obeys a request to connect again, possibly elsewhere.
    pub reconnect: bool,
    /// It takes several tracks in one tag.
    pub multitrack: bool,
    /// It takes extensions in front of a tag's codec.
    pub mod_ex: bool,
    /// It takes times with nanoseconds.
    pub nanoseconds: bool,
    /// FourCCs of the codecs that it takes; `*` stands for all.
    pub codecs: Vec<String>,
}

impl Capabilities {
    /// Those of this implementation: all, for it passes every codec on as it is.
    pub fn all() -> Self {
        let codecs = Vec::from([ANY.into()]);
        Self { reconnect: true, multitrack: true, mod_ex: true, nanoseconds: true, codecs }
    }

    /// Reads those in the command object of `connect`, or in its answer.
    pub fn of(object: &Value) -> Self {
        let bits = object.member("capsEx").and_then(Value::number).unwrap_or(0.0) as u32;
        let mut codecs: Vec<String> = Vec::new();
        let mut add = |codec: &str| {
            if !codecs.iter().any(|known| known == codec) {
                codecs.push(codec.into());
            }
        };
        if let Some(Value::Array(list)) = object.member("fourCcList") {
            list.iter().filter_map(Value::text).for_each(&mut add);
        }
        for map in ["videoFourCcInfoMap", "audioFourCcInfoMap"] {
            let members = object.member(map).map(Value::members).unwrap_or_default();
            members.iter().for_each(|(codec, _)| add(codec));
        }
        Self {
            reconnect: bits & RECONNECT != 0,
            multitrack: bits & MULTITRACK != 0,
            mod_ex: bits & MOD_EX != 0,
            nanoseconds: bits & TIMESTAMP_NANO_OFFSET != 0,
            codecs,
        }
    }

    /// Whether a codec of this FourCC was announced.
    pub fn takes(&self, codec: &str) -> bool {
        self.codecs.iter().any(|known| known == codec || known == ANY)
    }

    /// The members of a command object that announce them.
    pub(super) fn members(&self) -> impl Iterator<Item = (String, Value)> {
        let bit = |is: bool, bit: u32| if is { bit } else { 0 };
        let bits = bit(self.reconnect, RECONNECT)
            | bit(self.multitrack, MULTITRACK)
            | bit(self.mod_ex, MOD_EX)
            | bit(self.nanoseconds, TIMESTAMP_NANO_OFFSET);
        let list = self.codecs.iter().map(|codec| Value::Text(codec.clone())).collect();
        let mask = |codec: &String| (codec.clone(), Value::Number(f64::from(CAN_FORWARD)));
        let map = Value::Object(self.codecs.iter().map(mask).collect());
        [
            ("capsEx".into(), Value::Number(f64::from(bits))),
            ("fourCcList".into(), Value::Array(list)),
            ("videoFourCcInfoMap".into(), map.clone()),
            ("audioFourCcInfoMap".into(), map),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_read_back() {
        let all = Capabilities::all();
        assert_eq!(Capabilities::of(&Value::Object(all.members().collect())), all);
        assert!(all.takes("hvc1"));
        let none = Capabilities::of(&Value::Nothing);
        assert!(none == Capabilities::default() && !none.takes("hvc1"));
    }
}
