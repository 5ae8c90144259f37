//! What hosts ask.

use super::{counted, with};
use targets::expand::repeat;

pub fn notices() -> Vec<Vec<u8>> {
    let numbers = |numbers: &[i64]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let long = counted(&repeat(2_000, "漢".as_bytes()));
    vec![
        with(0, &[0; 140]),
        with(0, &[0xFF; 140]),
        with(
            0,
            &numbers(&[
                i64::MAX,
                i64::MIN,
                0,
                i64::MAX,
                i64::MIN,
                -1,
                1,
                i64::MAX,
                i64::MIN,
                7,
                8,
                9,
                10,
                11,
                12,
                13,
                14,
            ]),
        ),
        with(1, &[&[1][..], &counted(b"de-CH, en;q=0.5, *;q=0"), &[1], &counted(b"fr"), &[5; 40]].concat()),
        with(1, &[&[1][..], &counted(&repeat(5_000, b"a,")), &[0; 60]].concat()),
        with(2, &[&[5][..], &long, &long, &long, &long, &long, &[7], &long, &long, &[7], &[3]].concat()),
        with(
            2,
            &[
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
                vec![7],
                [0; 7].map(|_| long.clone()).concat(),
            ]
            .concat(),
        ),
        with(
            2,
            &[
                0, 0, 0, 0, 1, 5, 0, 0, 0, 9, 0, 0, 0, 1, 10, 0, b'2', b'0', b'2', b'7', b'-', b'0', b'1', b'-', b'3',
                b'1',
            ],
        ),
        with(3, &[0; 20]),
        with(3, &[0xFF; 60]),
        with(3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 0, b'd', b'e']),
        with(4, &numbers(&[20_000, 21_000, 0, 1_796_000_000, 1_800_000_000])),
        with(4, &numbers(&[20_000, 20_001, 100_000, 1_728_000_000, 1_700_000_000])),
    ]
}

pub fn calls() -> Vec<Vec<u8>> {
    // Zeros choose the usual for most arguments; each seed opens an agent and goes on with other calls.
    let reading = [0, 7, 7, 7, 2, 2, 2, 0, 3, 0, 3, 0, 0, 1];
    let leading = [0, 1, 7, 7, 2, 2, 2, 3, 0, 3, 0, 0, 1];
    let mut seeds = Vec::new();
    for call in 0..20u8 {
        for open in [&reading[..], &leading[..]] {
            seeds.push([open, &[call], &[0; 12], &[3], &[2; 12]].concat());
        }
    }
    let all: Vec<u8> = (0..20u8).flat_map(|call| [&[call][..], &[0, 3, 3, 3, 255, 1, 1, 3, 3]].concat()).collect();
    seeds.push([&reading[..], &all].concat());
    seeds.push([&leading[..], &all].concat());
    seeds.push([&leading[..], &[10, 0, 2], &counted(br#"{"enabled":true}"#), &[0, 0, 3, 0], &all].concat());
    seeds.push([&leading[..], &[12, 0, 1, 1, 0, 0, 3, 0, 3, 0], &[2, 0], &[0; 10], &all].concat());
    seeds.push([&leading[..], &[16, 0, 4, 0], &[12, 0, 1, 1, 0, 0, 3, 0, 3, 0], &all].concat());
    seeds
}
