//! Why a webhook is not taken.

use std::time::Duration;

use crate::keys::PublishedKey;
use crate::scheme::Algorithm;

/// Why a webhook is not taken. None of them holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// What the scheme reads is not there, or empty.
    #[error("{place} is missing")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// What may stand there once stands there several times.
    #[error("{place} is there more than once")]
    Ambiguous {
        /// Where it stands.
        place: String,
    },
    /// A header is longer than any provider's.
    #[error("{place} is too long to be read")]
    TooLong {
        /// Which one.
        place: String,
    },
    /// There are more signatures than any provider sends.
    #[error("{place} has {count} signatures, more than {max}")]
    TooManySignatures {
        /// Where they stand.
        place: String,
        /// How many there are.
        count: usize,
        /// How many are tried.
        max: usize,
    },
    /// The timestamp is not written as this provider writes it, or out of range.
    #[error("{place} is no timestamp as this provider writes them")]
    MalformedTimestamp {
        /// Where it stands.
        place: String,
    },
    /// The body is of a type that the signature does not cover.
    #[error("nothing that is signed covers the body: it is no form, and the URL has no digest of it")]
    BodyNotCovered,
    /// The digest of the body that was signed is that of another body.
    #[error("{place} is the SHA-256 of another body")]
    WrongBodyDigest {
        /// Where the digest stands.
        place: String,
    },
    /// Something that must hold beside the signature does not.
    #[error("{place} is not what it must be")]
    Unexpected {
        /// Where it stands.
        place: String,
    },
    /// The receiver did not say something that the scheme asks for.
    #[error("the setting {name} is not given")]
    NoSetting {
        /// Its name.
        name: String,
    },
    /// There is no secret or public key at all.
    #[error("no secret is given")]
    NoSecret,
    /// No secret is written as the provider writes them.
    #[error("no secret is written as this provider's are ({labels})")]
    UnusableSecret {
        /// The labels of the secrets.
        labels: String,
    },
    /// What should be a JSON Web Token is none.
    #[error("{place} is no JSON Web Token")]
    MalformedToken {
        /// Where it stands.
        place: String,
    },
    /// A token says that it is signed otherwise than this provider signs, or asks for an extension (`crit`).
    #[error("the token in {place} does not say that it is signed by {algorithm:?} and nothing else")]
    OtherAlgorithm {
        /// Where it stands.
        place: String,
        /// How this provider signs.
        algorithm: Algorithm,
    },
    /// The request names a URL that is not the provider's, for a key or for the receiver to visit. Nothing was fetched.
    #[error("{url} is not where this provider has it")]
    ForeignUrl {
        /// Its start.
        url: String,
    },
    /// The key is not known yet: fetch it, and verify again.
    #[error("the key {key} is not known: fetch it")]
    KeyNeeded {
        /// Which one.
        key: PublishedKey,
    },
    /// What is known of the provider's keys has none of this id: it is forged, or newer than what is known.
    #[error("there is no key {id} at {}", key.url())]
    UnknownKey {
        /// The id that the token names.
        id: String,
        /// Where its keys are.
        key: PublishedKey,
    },
    /// What the provider serves is no key for this signature.
    #[error("the key {key} is of no use: {reason}")]
    UnusableKey {
        /// Which one.
        key: PublishedKey,
        /// Why.
        reason: &'static str,
    },
    /// Nothing matches: another secret, another body, or another URL.
    #[error("no signature matches")]
    NoMatch,
    /// It was signed too long ago: a replay, or a clock that is ahead.
    #[error("it was signed {} seconds ago, more than {} seconds", age.as_secs(), limit.as_secs())]
    TooOld {
        /// How long ago.
        age: Duration,
        /// How long ago it may be.
        limit: Duration,
    },
    /// The token was good until some time ago.
    #[error("it expired {} seconds ago", since.as_secs())]
    Expired {
        /// How long ago.
        since: Duration,
    },
    /// It was signed too far in the future: a clock that is behind, or a timestamp of another unit.
    #[error("it was signed {} seconds in the future, more than {} seconds", ahead.as_secs(), limit.as_secs())]
    TooNew {
        /// How far.
        ahead: Duration,
        /// How far it may be.
        limit: Duration,
    },
}

impl Refusal {
    /// A stable name for programs.
    ///
    /// ```
    /// assert_eq!(nuncio_webhook::Refusal::NoMatch.name(), "no_match");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Ambiguous { .. } => "ambiguous",
            Self::TooLong { .. } => "too_long",
            Self::TooManySignatures { .. } => "too_many_signatures",
            Self::MalformedTimestamp { .. } => "malformed_timestamp",
            Self::BodyNotCovered => "body_not_covered",
            Self::WrongBodyDigest { .. } => "wrong_body_digest",
            Self::Unexpected { .. } => "unexpected",
            Self::NoSetting { .. } => "no_setting",
            Self::NoSecret => "no_secret",
            Self::UnusableSecret { .. } => "unusable_secret",
            Self::MalformedToken { .. } => "malformed_token",
            Self::OtherAlgorithm { .. } => "other_algorithm",
            Self::ForeignUrl { .. } => "foreign_url",
            Self::KeyNeeded { .. } => "key_needed",
            Self::UnknownKey { .. } => "unknown_key",
            Self::UnusableKey { .. } => "unusable_key",
            Self::Expired { .. } => "expired",
            Self::NoMatch => "no_match",
            Self::TooOld { .. } => "too_old",
            Self::TooNew { .. } => "too_new",
        }
    }

    /// The key that may change the verdict once it was fetched, for [`KeyCache::may_fetch`](crate::KeyCache::may_fetch) to decide about.
    #[must_use]
    pub fn key_to_fetch(&self) -> Option<&PublishedKey> {
        match self {
            Self::KeyNeeded { key } | Self::UnknownKey { key, .. } | Self::UnusableKey { key, .. } => {
                Some(key)
            }
            _ => None,
        }
    }
}
