//! Parameters of 10, 20 or 34 bands for a decoder that works in 20 or 34 (ISO/IEC 14496-3 8.6.4.6).

/// The most bands of a parameter.
pub(super) const MOST_BANDS: usize = 34;

/// By band of 20: the bands of 34 whose mean it is.
const OF_34: [&[usize]; 20] = [
    &[0, 0, 1],
    &[1, 2, 2],
    &[3, 3, 4],
    &[4, 5, 5],
    &[6, 7],
    &[8, 9],
    &[10],
    &[11],
    &[12, 13],
    &[14, 15],
    &[16],
    &[17],
    &[18],
    &[19],
    &[20, 21],
    &[22, 23],
    &[24, 25],
    &[26, 27],
    &[28, 29, 30, 31],
    &[32, 33],
];

/// By band of 34: the two bands of 20 whose mean it is.
#[rustfmt::skip]
const OF_20: [[usize; 2]; 34] = [
    [0, 0], [0, 1], [1, 1], [2, 2], [2, 3], [3, 3], [4, 4], [4, 4], [5, 5], [5, 5], [6, 6], [7, 7],
    [8, 8], [8, 8], [9, 9], [9, 9], [10, 10], [11, 11], [12, 12], [13, 13], [14, 14], [14, 14],
    [15, 15], [15, 15], [16, 16], [16, 16], [17, 17], [17, 17], [18, 18], [18, 18], [18, 18],
    [18, 18], [19, 19], [19, 19],
];

/// By band of 34: the band of 10.
#[rustfmt::skip]
const OF_10: [usize; 34] = [
    0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9,
];

/// Coded parameters of `bands` bands (5, 11 and 17 stand for the lower half of 10, 20 and 34) in 20 or 34 bands.
pub(super) fn indices(coded: &[i8; MOST_BANDS], bands: usize, to_34: bool) -> [i8; MOST_BANDS] {
    let mean = |of: &[usize]| (of.iter().map(|&b| i32::from(coded[b])).sum::<i32>() / of.len() as i32) as i8;
    std::array::from_fn(|band| match (bands, to_34) {
        (34 | 17, true) | (20 | 11, false) => coded[band],
        (34 | 17, false) => OF_34.get(band).map_or(0, |of| mean(of)),
        (20 | 11, true) => mean(&OF_20[band]),
        (_, true) => coded[OF_10[band]],
        (_, false) => coded[band / 2],
    })
}

/// Values of 34 bands in 20, or of 20 bands in 34.
pub(super) fn values(from: &[f32; MOST_BANDS], to_34: bool) -> [f32; MOST_BANDS] {
    let mean = |of: &[usize]| of.iter().map(|&b| from[b]).sum::<f32>() / of.len() as f32;
    std::array::from_fn(|band| match to_34 {
        true => mean(&OF_20[band]),
        false => OF_34.get(band).map_or(0.0, |of| mean(of)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_itself_in_every_resolution() {
        for (bands, to_34) in [(10, false), (10, true), (20, true), (34, false)] {
            let mapped = indices(&[-5; MOST_BANDS], bands, to_34);
            assert!(mapped[..if to_34 { 34 } else { 20 }].iter().all(|&x| x == -5), "{bands}");
        }
    }

    #[test]
    fn means_of_coded_parameters_round_towards_zero() {
        let mut coded = [0; MOST_BANDS];
        (coded[0], coded[1], coded[6], coded[7]) = (-4, -3, 2, 5);
        let mapped = indices(&coded, 34, false);
        assert_eq!((mapped[0], mapped[4]), (-3, 3));
    }
}
