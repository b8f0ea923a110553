//! raw_data_block and er_raw_data_block: the elements of an access unit, one after another (ISO/IEC 14496-3 §4.4.2.1).

use super::Parser;
use crate::bits::Bits;
use crate::config::{Place, ProgramConfig};
use crate::parsed::{Element, Parsed};
use crate::program::Kind;
use crate::{Error, layout};

/// id_syn_ele (table 4.85).
mod id {
    pub(super) const SCE: u32 = 0;
    pub(super) const CPE: u32 = 1;
    pub(super) const CCE: u32 = 2;
    pub(super) const LFE: u32 = 3;
    pub(super) const DSE: u32 = 4;
    pub(super) const PCE: u32 = 5;
    pub(super) const FIL: u32 = 6;
}

/// extension_type (table 4.121).
mod extension {
    pub(super) const DATA_ELEMENT: u32 = 2;
    pub(super) const DYNAMIC_RANGE: u32 = 11;
    pub(super) const SBR: u32 = 13;
    pub(super) const SBR_CRC: u32 = 14;
}

/// Reads a unit of the parser's stream.
pub(crate) fn parse(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed) -> Result<(), Error> {
    if let Some(program) = &mut parser.program {
        program.begin_unit();
    }
    unit.begin(parser.plan());
    if parser.config.error_resilient() {
        parse_error_resilient(parser, bits, unit)?;
    } else {
        parse_elements(parser, bits, unit)?;
    }
    if unit.untouched() { Err(Error::NoSound) } else { Ok(()) }
}

fn parse_elements(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed) -> Result<(), Error> {
    let origin = bits.position();
    let mut last = None;
    loop {
        if bits.left() < 3 {
            return Err(Error::Malformed { what: "no end of the unit", bit: bits.position() });
        }
        match bits.read(3) {
            id::SCE => last = Some(parse_channels(parser, bits, unit, Kind::Single)?),
            id::CPE => last = Some(parse_channels(parser, bits, unit, Kind::Pair)?),
            id::LFE => last = Some(parse_channels(parser, bits, unit, Kind::Lfe)?),
            id::CCE => last = Some(parse_coupling(parser, bits, unit)?),
            id::DSE => skip_data(bits),
            id::PCE => parse_program(parser, bits, unit, origin)?,
            id::FIL => parse_fill(parser, bits, unit, last)?,
            _ => return Ok(()),
        }
        if bits.overrun() {
            return Err(Error::Malformed { what: "element cut short", bit: bits.position() });
        }
    }
}

/// The channel element that a fill element behind it belongs to, by its index.
#[derive(Clone, Copy)]
enum Owner {
    Element(usize),
    Coupling(usize),
}

fn parse_channels(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed, kind: Kind) -> Result<Owner, Error> {
    let tag = bits.read(4) as u8;
    follow_mono_and_stereo(parser, unit, kind);
    let unknown =
        Error::Malformed { what: "channel element that the configuration does not have", bit: bits.position() };
    let Some(program) = &mut parser.program else { return Err(Error::NoSound) };
    let index = program.find(kind, tag, unit).ok_or(unknown)?;
    let element = unit.elements.get_mut(index).ok_or(unknown)?;
    element.parse(bits, &parser.syntax, &mut parser.noise)?;
    Ok(Owner::Element(index))
}

/// A stream that is said to be mono may hold a pair, and the other way round: some muxers write one for the other.
fn follow_mono_and_stereo(parser: &mut Parser, unit: &mut Parsed, kind: Kind) {
    let Some(program) = &parser.program else { return };
    let other = match (program.channel_config, kind) {
        (1, Kind::Pair) => 2,
        (2, Kind::Single) => 1,
        _ => return,
    };
    if let (true, Some(declared)) = (unit.untouched(), layout::standard_program(other)) {
        parser.set_program(other, declared);
        unit.follow(parser.plan());
    }
}

fn parse_coupling(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed) -> Result<Owner, Error> {
    let tag = bits.read(4) as u8;
    let unknown =
        Error::Malformed { what: "coupling element that the configuration does not have", bit: bits.position() };
    let index = unit.couplings.iter().position(|c| c.tag == tag && !c.present).ok_or(unknown)?;
    let coupled = unit.couplings.get_mut(index).ok_or(unknown)?;
    coupled.parse(bits, &parser.syntax, &mut parser.noise)?;
    Ok(Owner::Coupling(index))
}

/// data_stream_element.
fn skip_data(bits: &mut Bits) {
    bits.skip(4);
    let align = bits.flag();
    let mut count = bits.read(8) as usize;
    if count == 255 {
        count += bits.read(8) as usize;
    }
    if align {
        bits.align();
    }
    bits.skip(8 * count);
}

/// program_config_element: counts only before the first channel, and only if it says something new.
fn parse_program(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed, origin: usize) -> Result<(), Error> {
    bits.skip(4); // element_instance_tag
    let declared = ProgramConfig::parse(bits, origin)?;
    let known = parser.program.as_ref();
    if known.is_some_and(|p| !unit.untouched() || p.channel_config == 0 && p.declared == declared) {
        return Ok(());
    }
    let heard = declared.elements().iter().any(|e| e.place != Place::Coupling);
    if !heard || usize::from(declared.channels()) > crate::MAX_CHANNELS {
        return Err(Error::Unsupported("a program of no or more than 64 channels"));
    }
    parser.set_program(0, declared);
    unit.follow(parser.plan());
    Ok(())
}

/// fill_element: extension payloads, each a whole number of bytes.
fn parse_fill(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed, owner: Option<Owner>) -> Result<(), Error> {
    let mut count = bits.read(4) as usize;
    if count == 15 {
        count = 14 + bits.read(8) as usize;
    }
    let end = bits.position() + 8 * count;
    if bits.left() < 8 * count {
        return Err(Error::Malformed { what: "fill element cut short", bit: bits.position() });
    }
    while parse_payload(parser, bits, unit, end, owner) {}
    bits.skip(end.saturating_sub(bits.position()));
    Ok(())
}

/// Parses extension_payload: whole bytes before the bit `end`. Returns false when there is none, or when the position of
/// the next one is unknown.
fn parse_payload(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed, end: usize, owner: Option<Owner>) -> bool {
    let start = bits.position();
    if start + 8 > end {
        return false;
    }
    match bits.read(4) {
        extension::DATA_ELEMENT => {
            if bits.read(4) == 0 {
                skip_data_element(bits);
            }
        }
        extension::DYNAMIC_RANGE => unit.drc.parse(bits),
        kind @ (extension::SBR | extension::SBR_CRC) => {
            parser.find_sbr(unit);
            // A reader of its own, which ends where the payload does.
            parse_sbr(parser, &mut bits.until(end), owner, kind == extension::SBR_CRC);
            return false;
        }
        _ => return false,
    }
    let used = (bits.position() - start).div_ceil(8) * 8;
    bits.skip(start + used - bits.position());
    true
}

/// The rest of a data_element: bytes of something else.
fn skip_data_element(bits: &mut Bits) {
    let mut length = 0;
    while let part @ 1.. = bits.read(8) as usize {
        length += part;
        if part < 255 {
            break;
        }
    }
    bits.skip(8 * length);
}

/// sbr_extension_data: fills the rest of its payload, and is heard only where the stream is known to have SBR.
fn parse_sbr(parser: &mut Parser, bits: &mut Bits, owner: Option<Owner>, crc: bool) {
    let Some(program) = &mut parser.program else { return };
    let payload = match owner {
        Some(Owner::Element(index)) => program.payloads.get_mut(index),
        Some(Owner::Coupling(index)) => program.coupled_payloads.get_mut(index),
        None => None,
    };
    if let Some(payload) = payload {
        payload.parse(bits, crc);
    }
}

/// er_raw_data_block: the elements of the channel configuration, without their names, and what extends them.
fn parse_error_resilient(parser: &mut Parser, bits: &mut Bits, unit: &mut Parsed) -> Result<(), Error> {
    let (syntax, noise) = (&parser.syntax, &mut parser.noise);
    let Some(program) = &mut parser.program else { return Err(Error::NoSound) };
    for element in &mut unit.elements {
        if !syntax.eld() {
            bits.skip(4); // element_instance_tag
        }
        element.parse(bits, syntax, noise)?;
    }
    if bits.overrun() {
        return Err(Error::Malformed { what: "element cut short", bit: bits.position() });
    }
    let heard = |element: &Element| element.place.place != Place::Lfe;
    let owner = unit.elements.iter().rposition(heard);
    if let Some(low_delay) = &parser.config.low_delay_sbr {
        let payloads = unit.elements.iter().zip(&mut program.payloads);
        for (_, payload) in payloads.filter(|(element, _)| heard(element)) {
            if !payload.parse(bits, low_delay.crc) {
                // The start of the next one is unknown.
                return Ok(());
            }
        }
    }
    let end = bits.position() + bits.left() / 8 * 8;
    while parse_payload(parser, bits, unit, end, owner.map(Owner::Element)) {}
    Ok(())
}
