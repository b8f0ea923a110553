//! CRC-32 of the polynomial 04c11db7, its highest bit first: of Ogg pages (RFC 3533 §6) and, begun with all ones, of MPEG
//! sections (ISO/IEC 13818-1 Annex A).

/// The checksum `crc` carried on over `bytes`.
pub fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let [a, b, c, d] = (crc ^ u32::from_be_bytes([a, b, c, d])).to_be_bytes();
        crc = [a, b, c, d, e, f, g, h]
            .iter()
            .zip(TABLES.iter().rev())
            .fold(0, |crc, (byte, table)| crc ^ at(table, *byte));
    }
    rest.iter().fold(crc, |crc, byte| {
        let [table, ..] = &TABLES;
        crc << 8 ^ at(table, (crc >> 24) as u8 ^ byte)
    })
}

fn at(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Of each byte with 0 to 7 zero bytes behind it.
static TABLES: [[u32; 256]; 8] = tables();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, all indexes are below the lengths")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut n = 0;
    while n < 256 {
        let (mut value, mut bit) = ((n as u32) << 24, 0);
        while bit < 8 {
            value = if value & 0x8000_0000 != 0 { value << 1 ^ 0x04c1_1db7 } else { value << 1 };
            bit += 1;
        }
        tables[0][n] = value;
        n += 1;
    }
    let mut behind = 1;
    while behind < 8 {
        n = 0;
        while n < 256 {
            let before = tables[behind - 1][n];
            tables[behind][n] = before << 8 ^ tables[0][(before >> 24) as usize];
            n += 1;
        }
        behind += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_gives_the_checksum_of_the_standard() {
        let text = b"123456789123456789";
        assert_eq!(update(u32::MAX, &text[..9]), 0x0376_e6e7);
        let whole = text.iter().fold(0, |crc, byte| update(crc, &[*byte]));
        for cut in 0..text.len() {
            assert_eq!(update(update(0, &text[..cut]), &text[cut..]), whole);
        }
    }
}
