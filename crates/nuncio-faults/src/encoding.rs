//! Compressed bodies, right ones and bombs.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What one turn of a bomb comes to.
const BLANKS: usize = 1024 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `gzip`.
    Gzip,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Encoding {
    /// As `Content-Encoding` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    pub(crate) fn compress(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes it")
            }
            Self::Brotli => {
                let mut encoder = brotli(Vec::new());
                encoder.write_all(body).expect("memory takes it");
                encoder.into_inner()
            }
            Self::Zstd => zstd::encode_all(body, 1).expect("memory takes it"),
        }
    }

    /// How a bomb begins, and what of it can be sent again and again: each time [`BLANKS`] more.
    pub(crate) fn bomb(self) -> &'static (Vec<u8>, Bytes) {
        static BOMBS: [OnceLock<(Vec<u8>, Bytes)>; 3] = [const { OnceLock::new() }; 3];
        // Made once: to compress is slow where nothing is optimised.
        BOMBS[self as usize].get_or_init(|| self.make_bomb())
    }

    fn make_bomb(self) -> (Vec<u8>, Bytes) {
        let blanks = vec![b' '; BLANKS];
        match self {
            // Parts behind each other are allowed.
            Self::Gzip | Self::Zstd => (Vec::new(), self.compress(&blanks).into()),
            // Within one stream: what is flushed the second time says the same whenever it comes.
            Self::Brotli => {
                let mut encoder = brotli(Vec::new());
                let mut ends = [0; 3];
                for end in &mut ends {
                    encoder.write_all(&blanks).and_then(|()| encoder.flush()).expect("memory takes it");
                    *end = encoder.get_ref().len();
                }
                let all = encoder.into_inner();
                (all[..ends[1]].to_vec(), Bytes::copy_from_slice(&all[ends[1]..ends[2]]))
            }
        }
    }
}

fn brotli(out: Vec<u8>) -> brotli::CompressorWriter<Vec<u8>> {
    brotli::CompressorWriter::new(out, 4096, 1, 18)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// The first bytes of what `compressed` comes to.
    fn inflated(encoding: Encoding, compressed: &[u8], bytes: usize) -> Vec<u8> {
        let mut out = vec![0; bytes];
        match encoding {
            Encoding::Gzip => flate2::read::MultiGzDecoder::new(compressed).read_exact(&mut out),
            Encoding::Brotli => brotli::Decompressor::new(compressed, 4096).read_exact(&mut out),
            Encoding::Zstd => zstd::Decoder::new(compressed).and_then(|mut zstd| zstd.read_exact(&mut out)),
        }
        .unwrap_or_else(|error| panic!("{encoding:?}: {error}"));
        out
    }

    #[test]
    fn a_bomb_is_small_and_goes_on_for_ever() {
        for encoding in [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd] {
            let (first, turn) = encoding.bomb();
            let bomb = [&first[..], &turn.repeat(5)].concat();
            assert!(bomb.len() < BLANKS / 20, "{encoding:?}: {} bytes", bomb.len());
            assert!(inflated(encoding, &bomb, 5 * BLANKS).iter().all(|byte| *byte == b' '));
        }
    }
}
