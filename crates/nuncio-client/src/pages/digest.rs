//! Digests by which records and places are told apart within one process. They keep no secret and are written nowhere.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;

/// 64 bits are enough: among the 65,536 records that are held against each other, two different ones meet in one of 10¹⁰ pulls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(FixedState::default().hash_one(bytes))
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// The digest of all that this one stands for and `next` behind it.
    #[must_use]
    pub(super) fn and(self, next: Self) -> Self {
        let mut hasher = FixedState::with_seed(self.0).build_hasher();
        hasher.write_u64(next.0);
        Self(hasher.finish())
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}
