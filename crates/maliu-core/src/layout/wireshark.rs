//! A Wireshark dissector (Lua) of a layout: labels every field of a TCP connection that carries it.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

use super::{Comparison, Constant, Field, Head, Kind, Layout, Meaning, RangeStart, Role};

/// The Lua text of a dissector for `layout` on a TCP port. Field abbreviations are `NAME.part.field`.
pub fn dissector(layout: &Layout, port: u16) -> String {
    let name = identifier(&layout.name);
    let mut lua = String::new();
    let _ = writeln!(lua, "-- {}: dissector made from its layout.", one_line(&layout.name));
    let _ = writeln!(
        lua,
        "local proto = Proto({name:?}, {:?})",
        one_line(if layout.about.is_empty() { &layout.name } else { &layout.about })
    );
    let _ = writeln!(lua, "local f = {{}}");
    for (part, fields) in parts(layout) {
        fields.iter().for_each(|field| declare(&mut lua, &name, part, field));
    }
    let _ = writeln!(lua, "f.body = ProtoField.bytes(\"{name}.body\", \"body\")");
    lua.push_str("local all = {}\nfor _, field in pairs(f) do all[#all + 1] = field end\nproto.fields = all\n");
    lua.push_str(TOOLS);
    for (part, fields) in parts(layout) {
        match (&layout.head, part) {
            (Head::Bits, _) | (_, "preamble" | "inside" | "tail") => walker(&mut lua, part, fields),
            (form, _) => text_walker(&mut lua, form, fields),
        }
    }
    measure(&mut lua, layout);
    let _ = writeln!(lua, "{MAIN}");
    let _ = writeln!(lua, "DissectorTable.get(\"tcp.port\"):add({port}, proto)");
    lua
}

fn parts(layout: &Layout) -> [(&'static str, &[Field]); 4] {
    [("preamble", &layout.preamble), ("header", &layout.header), ("inside", &layout.inside), ("tail", &layout.tail)]
}

/// Bits at any place, as a number (up to 53 bits exactly) or a UInt64.
const TOOLS: &str = r#"
local function bits(tvb, at, width)
  if width > 53 and at % 8 == 0 and width % 8 == 0 then return tvb(at / 8, width / 8):uint64():tonumber() end
  local value = 0
  for bit = at, at + width - 1 do
    local byte = tvb(math.floor(bit / 8), 1):uint()
    value = value * 2 + math.floor(byte / 2 ^ (7 - bit % 8)) % 2
  end
  return value
end
local function little(tvb, at, width)
  local value = 0
  for n = width / 8 - 1, 0, -1 do value = value * 256 + tvb(at / 8 + n, 1):uint() end
  return value
end
local function varint(tvb, at)
  local value, scale, byte = 0, 1, at / 8
  while byte < tvb:len() do
    local group = tvb(byte, 1):uint()
    value, scale, byte = value + group % 128 * scale, scale * 128, byte + 1
    if group < 128 then return value, (byte - at / 8) * 8 end
  end
  return nil, 8
end
local function text_number(tvb, at, pattern, base)
  local text = tvb:raw(at / 8):match(pattern)
  if text == nil then return nil, 8 end
  return tonumber(text, base), #text * 8
end
local function signed(value, width)
  if value >= 2 ^ (width - 1) then return value - 2 ^ width end
  return value
end
local function digits(tvb, at, count)
  local text = ""
  for n = 0, count / 2 - 1 do text = text .. string.format("%02x", tvb(at / 8 + n, 1):uint()) end
  return text
end
local function mask(a, b)
  while a > 0 and b > 0 do
    if a % 2 == 1 and b % 2 == 1 then return true end
    a, b = math.floor(a / 2), math.floor(b / 2)
  end
  return false
end
"#;

/// The preamble stands at the start of each direction that has data; messages follow, reassembled over segments.
const MAIN: &str = r#"
local begun = {}
local function one(tvb, pinfo, tree, at)
  local v = {}
  local head = header(tvb, at, nil, v)
  if head == nil then return nil end
  local stop, behind = body_end(tvb, v, at, head)
  if stop == -1 then return nil end
  if stop == nil or stop < head then return false end
  local last = tail_length and tail(tvb, behind, nil, {}) or behind
  if last == nil or last > tvb:len() then return nil end
  local sub = tree:add(proto, tvb(at, last - at))
  header(tvb, at, sub, {})
  if stop > head then inside(tvb, head, sub:add(f.body, tvb(head, stop - head)), {}) end
  if tail_length then tail(tvb, behind, sub, {}) end
  return last
end
function proto.init() begun = {} end
function proto.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = proto.name
  local key = tostring(pinfo.src) .. ":" .. pinfo.src_port .. ">" .. tostring(pinfo.dst) .. ":" .. pinfo.dst_port
  if begun[key] == nil then begun[key] = pinfo.number end
  local at = 0
  if preamble_length > 0 and begun[key] == pinfo.number then
    local sub = tree:add(proto, tvb(0), "preamble")
    at = preamble(tvb, 0, sub, {})
    if at == nil then
      pinfo.desegment_offset, pinfo.desegment_len = 0, DESEGMENT_ONE_MORE_SEGMENT
      begun[key] = nil
      return
    end
  end
  while at < tvb:len() do
    local stop = one(tvb, pinfo, tree, at)
    if stop == nil then
      pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
      if preamble_length > 0 and at == 0 and begun[key] == pinfo.number then begun[key] = nil end
      return
    end
    if stop == false or stop <= at then stop = at + 1 end
    at = stop
  end
end
"#;

fn declare(lua: &mut String, name: &str, part: &str, field: &Field) {
    let id = identifier(&field.name);
    let kind = match field.kind {
        Kind::Number { signed: true, bits, .. } if bits <= 32 => "int32",
        Kind::Number { bits, .. } if bits <= 32 => "uint32",
        Kind::Number { .. } | Kind::Varint | Kind::Digits { .. } => "double",
        Kind::Bcd { .. } | Kind::Text { .. } | Kind::Word => "string",
        Kind::Bytes { .. } | Kind::Counted { .. } => "bytes",
    };
    let values: Vec<String> =
        field.map.iter().map(|(value, meaning)| format!("[{value}] = {:?}", meaning_text(*meaning))).collect();
    let base = match kind {
        "uint32" | "int32" if !values.is_empty() => format!(", base.DEC, {{{}}}", values.join(", ")),
        _ => String::new(),
    };
    let _ =
        writeln!(lua, "f.{part}_{id} = ProtoField.{kind}(\"{name}.{part}.{id}\", {:?}{base})", one_line(&field.name));
}

fn meaning_text(meaning: Meaning) -> String {
    match meaning {
        Meaning::Codec(codec) => codec.name().into(),
        Meaning::Flag(flag) => if flag { "yes" } else { "no" }.into(),
        Meaning::Fragment(part) => format!("{part:?}").to_lowercase(),
        Meaning::Number(number) => format!("{number}"),
        Meaning::Media(kind) => kind.name().into(),
        Meaning::Skip => "passed over".into(),
    }
}

/// A function that walks one part: fills `v`, labels fields when there is a tree, returns the byte behind it or nil.
fn walker(lua: &mut String, part: &str, fields: &[Field]) {
    let least: usize =
        fields.iter().filter(|field| field.when.is_empty()).map(|field| field.kind.bits()).sum::<usize>() / 8;
    let _ = writeln!(
        lua,
        "local {part}_length = {}",
        if part == "tail" && fields.is_empty() { "nil".into() } else { format!("{least}") }
    );
    let _ = writeln!(lua, "local function {part}(tvb, at, tree, v)\n  local bit = at * 8");
    for field in fields {
        let id = identifier(&field.name);
        let conditions: Vec<String> = field.when.iter().map(|c| condition(c, fields)).collect();
        let there = if conditions.is_empty() { "true".into() } else { conditions.join(" and ") };
        let width = match field.kind {
            Kind::Counted { by } => {
                format!("(v.{} or 0) * 8", fields.get(by).map(|by| identifier(&by.name)).unwrap_or_default())
            }
            Kind::Varint | Kind::Digits { .. } | Kind::Word => "width".into(),
            kind => format!("{}", kind.bits()),
        };
        let read = match field.kind {
            Kind::Number { bits, little: true, signed } if bits % 8 == 0 => {
                wrap(&format!("little(tvb, bit, {bits})"), signed, bits)
            }
            Kind::Number { bits, signed, .. } => wrap(&format!("bits(tvb, bit, {bits})"), signed, bits),
            Kind::Bcd { digits } => format!("digits(tvb, bit, {digits})"),
            Kind::Text { len } => format!("tvb(bit / 8, {len}):string():gsub(\"%z.*\", \"\")"),
            Kind::Bytes { len } => format!("tvb(bit / 8, {len}):bytes()"),
            Kind::Counted { .. } | Kind::Word => "nil".into(),
            Kind::Varint | Kind::Digits { .. } => "number".into(),
        };
        let there = if matches!(field.kind, Kind::Counted { .. }) { format!("{there} and {width} > 0") } else { there };
        let _ = writeln!(lua, "  if {there} then");
        match field.kind {
            Kind::Varint => {
                lua.push_str("    local number, width = varint(tvb, bit)\n    if number == nil then return nil end\n")
            }
            Kind::Digits { radix } => {
                let pattern = if radix == 16 { "^%x+" } else { "^%d+" };
                let _ = writeln!(lua, "    local number, width = text_number(tvb, bit, \"{pattern}\", {radix})");
                lua.push_str("    if number == nil then return nil end\n");
            }
            _ => {}
        }
        let _ = writeln!(lua, "    if bit + {width} > tvb:len() * 8 then return nil end");
        let _ = writeln!(lua, "    v.{id} = {read}; v.{id}_at = math.floor(bit / 8)");
        let range = format!("tvb(math.floor(bit / 8), math.ceil((bit + {width}) / 8) - math.floor(bit / 8))");
        let value = if matches!(field.kind, Kind::Bytes { .. } | Kind::Counted { .. }) {
            String::new()
        } else {
            format!(", v.{id}")
        };
        let _ = writeln!(lua, "    if tree then tree:add(f.{part}_{id}, {range}{value}) end");
        let _ = writeln!(lua, "    bit = bit + {width}\n  end\n  v.{id}_end = math.floor(bit / 8)");
    }
    lua.push_str("  return bit / 8\nend\n");
}

/// A function that finds the fields of a header that is text.
fn text_walker(lua: &mut String, form: &Head, fields: &[Field]) {
    let end = if matches!(form, Head::Lines { .. }) { "\\r?\\n\\r?\\n" } else { "\\r?\\n" };
    let _ = writeln!(lua, "local header_length = 0\nlocal function header(tvb, at, tree, v)");
    lua.push_str("  if at >= tvb:len() then return nil end\n  local text = tvb:raw(at)\n");
    let _ = writeln!(lua, "  local _, stop = text:find(\"{end}\")\n  if stop == nil then return nil end");
    lua.push_str("  local head, low = text:sub(1, stop), text:sub(1, stop):lower()\n");
    for field in fields {
        let id = identifier(&field.name);
        let plain = |c: char| c.is_ascii_alphanumeric();
        let literal: String =
            field.name.chars().map(|c| if plain(c) { format!("{c}") } else { format!("%{c}") }).collect();
        let (source, pattern) = match form {
            Head::Lines { .. } => ("low", format!("\\n{}%s*:%s*()([^%s;,]+)", literal.to_ascii_lowercase())),
            Head::Json => ("head", format!("'{literal}'%s*:%s*'?()([^%s',}}]+)").replace('\'', "\\\"")),
            _ => ("head", format!("{literal}=()([^%s;,]+)")),
        };
        let before = if matches!(form, Head::Lines { .. }) { "\"\\n\" .. " } else { "\" \" .. " };
        let _ = writeln!(
            lua,
            "  do\n    local place, value = ({before}{source}):match(\"{pattern}\")\n    if value ~= nil then"
        );
        let base = if matches!(field.kind, Kind::Digits { radix: 16 }) { 16 } else { 10 };
        let number = matches!(field.kind, Kind::Digits { .. });
        let read = if number { format!("tonumber(value:match(\"^%x+\") or \"\", {base})") } else { "value".into() };
        let _ = writeln!(lua, "      v.{id} = {read}; v.{id}_at = at + place - 2");
        let _ = writeln!(
            lua,
            "      if tree and v.{id} ~= nil then tree:add(f.header_{id}, tvb(v.{id}_at, #value), v.{id}) end"
        );
        lua.push_str("    end\n  end\n");
    }
    lua.push_str("  return at + stop\nend\n");
}

fn wrap(read: &str, signed: bool, bits: u8) -> String {
    if signed { format!("signed({read}, {bits})") } else { read.into() }
}

fn condition(c: &super::Condition, fields: &[Field]) -> String {
    let id = fields.get(c.field).map(|field| identifier(&field.name)).unwrap_or_default();
    let sign = match c.comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "~=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Mask => return format!("(v.{id} ~= nil and mask(v.{id}, {}))", c.value),
    };
    format!("(v.{id} ~= nil and v.{id} {sign} {})", c.value)
}

/// A function that says where the body of a message ends; nil when its header cannot be one.
fn measure(lua: &mut String, layout: &Layout) {
    lua.push_str("local function body_end(tvb, v, at, head)\n");
    for field in &layout.header {
        if let Some(Constant::Number(value)) = field.constant {
            let id = identifier(&field.name);
            let _ = writeln!(lua, "  if v.{id} ~= nil and v.{id} ~= {value} then return nil end");
        }
    }
    let lengths = layout.header.iter().filter_map(|field| match &field.role {
        Some(Role::Length { unit, plus, from, tail, align }) => {
            Some((identifier(&field.name), *unit, *plus, *from, *tail, *align))
        }
        _ => None,
    });
    let lengths: Vec<_> = lengths.collect();
    // The last one that is there counts.
    let others: Vec<String> = lengths.iter().rev().skip(1).map(|(id, ..)| format!(" or v.{id}")).collect();
    let (length, others) = (lengths.into_iter().next_back(), others.concat());
    let limit = layout.limits.body;
    match length {
        Some((id, unit, plus, from, tail, align)) => {
            let start = counted_from(layout, from);
            let less = if tail { "(tail_length or 0)" } else { "0" };
            let _ = writeln!(
                lua,
                "  local length = v.{id}{others}\n  if length == nil then return nil end\n  local stop = {start} + length * {unit} + {plus} - {less}\n  \
                 local behind = stop + ({start} - stop) % {align}"
            );
        }
        None if layout.body.rest => {
            lua.push_str("  local stop = tvb:len() - (tail_length or 0)\n  local behind = stop\n")
        }
        None if layout.body.until.is_some() => {
            let end = layout.body.until.as_deref().unwrap_or_default();
            let escaped: String = end.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            let _ = writeln!(
                lua,
                "  if head >= tvb:len() then return -1 end\n  local found = tvb:raw(head):find(\"{escaped}\", 1, true)\n  \
                 if found == nil then return -1 end\n  local stop = head + found - 1\n  local behind = stop + {}",
                end.len()
            );
        }
        None => {
            let length = layout.body.length.unwrap_or(0);
            let _ = writeln!(lua, "  local stop = head + {length}\n  local behind = stop");
        }
    }
    let _ = writeln!(lua, "  if stop - head > {limit} then return nil end\n  return stop, behind\nend");
}

/// The byte from which a length counts, in Lua.
fn counted_from(layout: &Layout, from: RangeStart) -> String {
    let named = |index: usize| layout.header.get(index).map(|field| identifier(&field.name)).unwrap_or_default();
    match from {
        RangeStart::Start => "at".into(),
        RangeStart::Body => "head".into(),
        RangeStart::Behind(index) => format!("(v.{}_end or head)", named(index)),
        RangeStart::Field(index) => format!("(v.{0}_at or v.{0}_end or head)", named(index)),
    }
}

/// A name as Lua and Wireshark take it.
fn identifier(name: &str) -> String {
    let mut id: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id.insert(0, 'x');
    }
    if KEYWORDS.contains(&&*id) {
        id.push('_');
    }
    id
}

/// Words of Lua that no field can be named by (Lua 5.2 §3.1, and goto).
const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').collect()
}
