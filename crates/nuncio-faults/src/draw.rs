//! Faults by chance.

use bytes::Bytes;

use crate::encoding::Encoding;
use crate::fault::{At, End, Fault};

/// Offsets are drawn below this: small requests and answers are met everywhere, and larger ones at their beginning.
const MAX_OFFSET: usize = 1500;

impl Fault {
    /// A fault, any kind as likely as another: the same for the same state of `rng`.
    #[must_use]
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let encoding = match rng.u8(..3) {
            0 => Encoding::Gzip,
            1 => Encoding::Brotli,
            _ => Encoding::Zstd,
        };
        let end = match rng.u8(..4) {
            0 => End::Close,
            1 => End::Reset,
            2 => End::Stall,
            _ => End::HalfClose,
        };
        let offset = rng.usize(..MAX_OFFSET);
        match rng.u8(..27) {
            0 => Self::Cut { at: At::Connect, end },
            // Often, since there are many places and ways.
            1..=3 => Self::Cut { at: At::Request(offset), end },
            4..=6 => Self::Cut { at: At::Answer(offset), end },
            7 => Self::Blurt { says: Bytes::from_static(b"SSH-2.0-made-up\r\n"), end },
            8 => Self::CloseBehind,
            9 => Self::Drip,
            10 => Self::Corrupt { at: offset },
            11 => Self::Garbage { seed: rng.u64(..) },
            12 => Self::EndlessHeaders,
            13 => Self::EndlessInterim,
            14 => Self::Interim(rng.usize(1..50)),
            15 => Self::EndlessBody { chunked: rng.bool() },
            16 => Self::ShortLength,
            17 => Self::LongLength,
            18 => Self::TwoLengths,
            19 => Self::LengthAndChunks,
            20 => Self::BadChunk,
            21 => Self::MissingChunk,
            22 => Self::Compressed(encoding),
            23 => match encoding {
                // Brotli has no parts.
                Encoding::Brotli => Self::HalfCompressed(encoding),
                _ => Self::TwoParts(encoding),
            },
            24 => Self::FalselyCompressed(encoding),
            25 => Self::Bomb(encoding),
            _ => Self::DeepJson(rng.usize(200..200_000)),
        }
    }
}
