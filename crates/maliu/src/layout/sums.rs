//! Checksums as layouts name them: by a name, or by the parameters of a CRC.

use maliu_core::layout::{Algorithm, Crc};

use super::schema::{AlgorithmText, CrcText, Scalar};

/// The algorithm, or a fault and a hint.
pub(super) fn algorithm(text: &AlgorithmText) -> Result<Algorithm, (String, String)> {
    match text {
        AlgorithmText::Name(name) => {
            Algorithm::named(name).ok_or_else(|| (format!("no algorithm is called {name}"), names()))
        }
        AlgorithmText::Crc(parameters) => crc(parameters).ok_or_else(|| {
            let hint =
                "{ width = 16, poly = 0x8005, init = 0xffff, refin = true, refout = true, xorout = 0 }, 8 to 64 bits";
            ("not the parameters of a CRC".to_owned(), hint.to_owned())
        }),
    }
}

/// The names of all algorithms, for hints.
pub(super) fn names() -> String {
    Algorithm::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn crc(text: &CrcText) -> Option<Algorithm> {
    let number = |value: &Option<Scalar>| value.as_ref().map_or(Some(0), wide);
    let (poly, init, xorout) = (wide(&text.poly)?, number(&text.init)?, number(&text.xorout)?);
    let fits = |value: u64| text.width >= 64 || value >> text.width == 0;
    let sound = (8..=64).contains(&text.width) && fits(poly) && fits(init) && fits(xorout);
    sound.then_some(Algorithm::Crc(Crc {
        width: text.width,
        poly,
        init,
        refin: text.refin,
        refout: text.refout,
        xorout,
    }))
}

/// A number, or one of 64 bits as a text.
fn wide(value: &Scalar) -> Option<u64> {
    match value {
        Scalar::Number(number) => u64::try_from(*number).ok(),
        Scalar::Text(text) => u64::from_str_radix(text.strip_prefix("0x")?, 16).ok(),
    }
}
