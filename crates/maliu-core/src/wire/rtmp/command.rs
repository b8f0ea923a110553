//! Commands: a name, a number that its answer repeats, and values (RTMP 1.0 §7.2).

use alloc::{string::String, vec::Vec};

use bytes::Bytes;

use super::{Fault, MAX_COMMAND, chunk::Message, kind};
use crate::syntax::amf::{Cursor, Value, amf0};

/// A command as it came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    /// Its name, or that of an answer: `_result`, `_error`, `onStatus`.
    pub(super) name: String,
    /// The number that an answer repeats; 0 wants none.
    pub(super) transaction: f64,
    /// The values behind them; the first one is the command object.
    pub(super) values: Vec<Value>,
}

impl Command {
    /// Reads a command message; `None` when it is not one, or nothing in it can be understood.
    pub(super) fn of(message: &Message) -> Result<Option<Self>, Fault> {
        let body = match message.kind {
            kind::COMMAND => &message.body[..],
            // A format byte of 0 stands before AMF0, in which single values may be AMF3.
            kind::COMMAND_AMF3 => message.body.strip_prefix(&[0]).unwrap_or(&message.body),
            _ => return Ok(None),
        };
        if body.len() > MAX_COMMAND {
            return Err(Fault::Limit { what: "size of a command", limit: MAX_COMMAND });
        }
        let mut cursor = Cursor::new(body);
        let mut values = Vec::new();
        while cursor.left() > 0 {
            let read = amf0::read(&mut cursor);
            values.push(read.value);
            if read.fault.is_some() {
                break;
            }
        }
        let mut values = values.into_iter();
        let Some(Value::Text(name)) = values.next() else { return Ok(None) };
        let transaction = values.next().and_then(|value| value.number()).unwrap_or(0.0);
        Ok(Some(Self { name, transaction, values: values.collect() }))
    }

    /// The text in the value at `index`, behind the command object.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        self.values.get(index)?.text()
    }

    /// The number in the value at `index`, behind the command object.
    pub(super) fn number(&self, index: usize) -> Option<f64> {
        self.values.get(index)?.number()
    }

    /// The member `name` of the information object: the last value.
    pub(super) fn info(&self, name: &str) -> Option<&str> {
        self.values.last()?.member(name)?.text()
    }
}

/// The body of a command.
pub(super) fn body(name: &str, transaction: f64, values: &[Value]) -> Bytes {
    let mut out = amf0::Writer::default();
    out.text(name.as_bytes());
    out.number(transaction);
    values.iter().for_each(|value| out.value(value));
    out.bytes.into()
}

/// A text with its marker.
pub(super) fn text(text: &[u8]) -> Vec<u8> {
    let mut out = amf0::Writer::default();
    out.text(text);
    out.bytes
}

/// An object of texts and other values.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The information object of a status.
pub(super) fn status(level: &str, code: &str, description: &str) -> Value {
    let text = |text: &str| Value::Text(text.into());
    object([("level", text(level)), ("code", text(code)), ("description", text(description))])
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn message(kind: u8, body: Bytes) -> Message {
        Message { channel: 3, kind, stream: 0, time: 0, body }
    }

    #[test]
    fn commands_read_back_in_both_encodings() {
        let values = [Value::Nothing, Value::Text("key".into()), Value::Number(-2000.0)];
        let plain = body("play", 4.0, &values);
        let wanted = Command { name: "play".into(), transaction: 4.0, values: values.into() };
        assert_eq!(Command::of(&message(kind::COMMAND, plain.clone())), Ok(Some(wanted.clone())));
        let amf3 = [&[0], &plain[..]].concat().into();
        assert_eq!(Command::of(&message(kind::COMMAND_AMF3, amf3)), Ok(Some(wanted)));
    }

    #[test]
    fn a_command_that_ends_early_keeps_its_good_values() {
        let cut = body("publish", 5.0, &[Value::Nothing, Value::Text("key".into())]);
        let read = Command::of(&message(kind::COMMAND, cut.slice(..cut.len() - 1))).unwrap().unwrap();
        assert_eq!((read.name.as_str(), read.values), ("publish", vec![Value::Nothing, Value::Nothing]));
        assert_eq!(Command::of(&message(kind::COMMAND, Bytes::from_static(b"\x05"))), Ok(None));
        let long = message(kind::COMMAND, vec![0; MAX_COMMAND + 1].into());
        assert!(matches!(Command::of(&long), Err(Fault::Limit { .. })));
    }
}
