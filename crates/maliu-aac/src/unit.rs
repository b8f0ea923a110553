//! raw_data_block and er_raw_data_block: the elements of an access unit, one after another (ISO/IEC 14496-3 §4.4.2.1).

use crate::bits::Bits;
use crate::config::{Place, ProgramConfig};
use crate::decoder::Decoder;
use crate::program::{Kind, Program};
use crate::{Error, layout};

/// id_syn_ele (table 4.85).
mod id {
    pub const SCE: u32 = 0;
    pub const CPE: u32 = 1;
    pub const CCE: u32 = 2;
    pub const LFE: u32 = 3;
    pub const DSE: u32 = 4;
    pub const PCE: u32 = 5;
    pub const FIL: u32 = 6;
}

/// extension_type (table 4.121).
mod extension {
    pub const DATA_ELEMENT: u32 = 2;
    pub const DYNAMIC_RANGE: u32 = 11;
    pub const SBR: u32 = 13;
    pub const SBR_CRC: u32 = 14;
}

/// Reads a unit into the elements of the decoder's program.
pub(crate) fn parse(decoder: &mut Decoder, bits: &mut Bits) -> Result<(), Error> {
    decoder.drc.clear();
    if let Some(program) = &mut decoder.program {
        program.begin_unit();
    }
    if decoder.config.error_resilient() {
        parse_error_resilient(decoder, bits)?;
    } else {
        parse_elements(decoder, bits)?;
    }
    match &decoder.program {
        Some(program) if !program.untouched() => Ok(()),
        _ => Err(Error::NoSound),
    }
}

fn parse_elements(decoder: &mut Decoder, bits: &mut Bits) -> Result<(), Error> {
    let origin = bits.position();
    let mut last = None;
    loop {
        if bits.left() < 3 {
            return Err(Error::Malformed { what: "no end of the unit", bit: bits.position() });
        }
        match bits.read(3) {
            id::SCE => last = Some(parse_channels(decoder, bits, Kind::Single)?),
            id::CPE => last = Some(parse_channels(decoder, bits, Kind::Pair)?),
            id::LFE => last = Some(parse_channels(decoder, bits, Kind::Lfe)?),
            id::CCE => last = Some(parse_coupling(decoder, bits)?),
            id::DSE => skip_data(bits),
            id::PCE => parse_program(decoder, bits, origin)?,
            id::FIL => parse_fill(decoder, bits, last)?,
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

fn parse_channels(decoder: &mut Decoder, bits: &mut Bits, kind: Kind) -> Result<Owner, Error> {
    let tag = bits.read(4) as u8;
    follow_mono_and_stereo(decoder, kind);
    let unknown =
        Error::Malformed { what: "channel element that the configuration does not have", bit: bits.position() };
    let Some(program) = &mut decoder.program else { return Err(Error::NoSound) };
    let index = program.find(kind, tag).ok_or(unknown)?;
    let element = program.elements.get_mut(index).ok_or(unknown)?;
    element.parse(bits, &decoder.syntax, &mut decoder.noise)?;
    Ok(Owner::Element(index))
}

/// A stream that is said to be mono may hold a pair, and the other way round: some muxers write one for the other.
fn follow_mono_and_stereo(decoder: &mut Decoder, kind: Kind) {
    let Some(program) = &decoder.program else { return };
    let other = match (program.channel_config, kind) {
        (1, Kind::Pair) => 2,
        (2, Kind::Single) => 1,
        _ => return,
    };
    if let (true, Some(declared)) = (program.untouched(), layout::standard_program(other)) {
        decoder.set_program(other, declared);
    }
}

fn parse_coupling(decoder: &mut Decoder, bits: &mut Bits) -> Result<Owner, Error> {
    let tag = bits.read(4) as u8;
    let unknown =
        Error::Malformed { what: "coupling element that the configuration does not have", bit: bits.position() };
    let program: &mut Program = decoder.program.as_mut().ok_or(unknown)?;
    let index = program.couplings.iter().position(|c| c.tag == tag && !c.present).ok_or(unknown)?;
    let coupled = program.couplings.get_mut(index).ok_or(unknown)?;
    coupled.parse(bits, &decoder.syntax, &mut decoder.noise)?;
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
fn parse_program(decoder: &mut Decoder, bits: &mut Bits, origin: usize) -> Result<(), Error> {
    bits.skip(4); // element_instance_tag
    let declared = ProgramConfig::parse(bits, origin)?;
    let known = decoder.program.as_ref();
    if known.is_some_and(|p| !p.untouched() || p.channel_config == 0 && p.declared == declared) {
        return Ok(());
    }
    let heard = declared.elements().iter().any(|e| e.place != Place::Coupling);
    if !heard || usize::from(declared.channels()) > crate::MAX_CHANNELS {
        return Err(Error::Unsupported("a program of no or more than 64 channels"));
    }
    decoder.set_program(0, declared);
    Ok(())
}

/// fill_element: extension payloads, each a whole number of bytes.
fn parse_fill(decoder: &mut Decoder, bits: &mut Bits, owner: Option<Owner>) -> Result<(), Error> {
    let mut count = bits.read(4) as usize;
    if count == 15 {
        count = 14 + bits.read(8) as usize;
    }
    let end = bits.position() + 8 * count;
    if bits.left() < 8 * count {
        return Err(Error::Malformed { what: "fill element cut short", bit: bits.position() });
    }
    while parse_payload(decoder, bits, end, owner) {}
    bits.skip(end.saturating_sub(bits.position()));
    Ok(())
}

/// extension_payload: whole bytes before the bit `end`. False when there is none, or none behind it can be told.
fn parse_payload(decoder: &mut Decoder, bits: &mut Bits, end: usize, owner: Option<Owner>) -> bool {
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
        extension::DYNAMIC_RANGE => decoder.drc.parse(bits),
        kind @ (extension::SBR | extension::SBR_CRC) => {
            parse_sbr(decoder, bits, end, owner, kind == extension::SBR_CRC);
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

/// sbr_extension_data: fills the rest up to the bit `end`, and is heard only where the stream is known to have SBR.
fn parse_sbr(decoder: &mut Decoder, bits: &Bits, end: usize, owner: Option<Owner>, crc: bool) {
    decoder.find_sbr();
    let Some(program) = &mut decoder.program else { return };
    let extension = match owner {
        Some(Owner::Element(index)) => program.elements.get_mut(index).and_then(|e| e.extension.as_mut()),
        Some(Owner::Coupling(index)) => program.couplings.get_mut(index).and_then(|c| c.extension.as_mut()),
        None => None,
    };
    if let Some(extension) = extension {
        // A reader of its own, which ends where the payload does.
        extension.parse(&mut bits.until(end), crc);
    }
}

/// er_raw_data_block: the elements of the channel configuration, without their names, and what extends them.
fn parse_error_resilient(decoder: &mut Decoder, bits: &mut Bits) -> Result<(), Error> {
    let (syntax, noise) = (&decoder.syntax, &mut decoder.noise);
    let Some(program) = &mut decoder.program else { return Err(Error::NoSound) };
    for element in &mut program.elements {
        if !syntax.eld() {
            bits.skip(4); // element_instance_tag
        }
        element.parse(bits, syntax, noise)?;
    }
    if bits.overrun() {
        return Err(Error::Malformed { what: "element cut short", bit: bits.position() });
    }
    let owner = program.elements.iter().rposition(|element| element.place.place != Place::Lfe);
    if let Some(low_delay) = &decoder.config.low_delay_sbr {
        let heard = program.elements.iter_mut().filter(|e| e.place.place != Place::Lfe);
        for extension in heard.filter_map(|element| element.extension.as_mut()) {
            if !extension.parse(bits, low_delay.crc) {
                // Nobody knows where the next one begins.
                return Ok(());
            }
        }
    }
    let end = bits.position() + bits.left() / 8 * 8;
    while parse_payload(decoder, bits, end, owner.map(Owner::Element)) {}
    Ok(())
}
