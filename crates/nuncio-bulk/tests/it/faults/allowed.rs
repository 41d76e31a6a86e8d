//! Which kinds of error a fault may lead to.

use nuncio_client::Kind;
use nuncio_faults::Fault;

/// Whether an error of this kind is right after these faults. A machine that is busy can run out of time without any.
pub(super) fn is_allowed(kind: Kind, faults: &[Fault]) -> bool {
    kind == Kind::Timeout || faults.iter().any(|fault| kinds(fault).contains(&kind))
}

fn kinds(fault: &Fault) -> &'static [Kind] {
    match fault {
        Fault::EndlessBody { .. } | Fault::Bomb(_) => &[Kind::TooLarge],
        Fault::FalselyCompressed(_) | Fault::HalfCompressed(_) | Fault::DeepJson(_) => &[Kind::Decode],
        // In the head or in the body; with its last bytes in front of the next answer.
        Fault::Corrupt { .. } | Fault::ShortLength => &[Kind::Connect, Kind::Decode],
        Fault::Compressed(_)
        | Fault::TwoParts(_)
        | Fault::Drip
        | Fault::Interim(_)
        | Fault::LengthAndChunks => &[],
        _ => &[Kind::Connect],
    }
}
