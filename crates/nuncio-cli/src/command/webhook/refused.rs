//! What to do about a refusal.

use nuncio_webhook::Refusal;

/// Whether it is no verdict on the request: what was given is not enough for one.
pub(super) fn is_ours(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NoSecret | Refusal::NoSetting { .. } | Refusal::UnusableSecret { .. })
        || refusal.key_to_fetch().is_some()
}

/// What whoever receives can do about it, beside what the explanation says.
pub(super) fn advice_to_receiver(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Missing { .. } => Some("it was not sent by this provider, or a proxy took it away"),
        // The explanation tells of the usual mistakes; and keys are fetched without being asked for.
        Refusal::WrongBodyDigest { .. }
        | Refusal::NoMatch
        | Refusal::KeyNeeded { .. }
        | Refusal::UnknownKey { .. } => None,
        Refusal::TooOld { .. } | Refusal::Expired { .. } => Some("set the clock, or refuse the replay"),
        other => advice(other),
    }
}

/// What to do, where there is something to be said beside the refusal.
pub(super) fn advice(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::Missing { .. } => {
            "give all headers that arrived, with -H or -H @FILE; if this one did not arrive, it was not sent by this provider or a proxy took it away"
        }
        Refusal::Ambiguous { .. } => {
            "no sender puts it there twice: refuse the request, and see which proxy adds to it"
        }
        Refusal::TooLong { .. } | Refusal::TooManySignatures { .. } => {
            "no provider sends so much: refuse the request"
        }
        Refusal::MalformedTimestamp { .. } => {
            "what is taken is only what this provider writes: see whether something changed the header"
        }
        Refusal::BodyNotCovered => "give the Content-Type that arrived, and the URL with its whole query",
        Refusal::WrongBodyDigest { .. } | Refusal::NoMatch => {
            "--explain shows what was signed and tries the usual mistakes: another secret, a body that was parsed and written again, another URL"
        }
        Refusal::Unexpected { .. } => {
            "see whether the setting is that of this endpoint; if it is, refuse the request"
        }
        Refusal::NoSetting { .. } => "give it with --setting NAME=VALUE or --setting-env NAME=VARIABLE",
        Refusal::NoSecret => {
            "name where it is with --secret-env or --secret-file, or --public-key-file for a public key"
        }
        Refusal::UnusableSecret { .. } => {
            "copy it whole from the provider's page, with its prefix and without quotes"
        }
        Refusal::KeyNeeded { .. } => {
            "--fetch-keys fetches it; or give what the provider has there with --published-key-file"
        }
        Refusal::UnknownKey { .. } => {
            "fetch what the provider has there today, and give the file with --published-key-file; if this key is not in it, refuse the request"
        }
        Refusal::UnusableKey { .. } => {
            "see whether the file of --published-key-file is what the provider has there today"
        }
        Refusal::ForeignUrl { .. } => "refuse the request, and fetch nothing from there",
        Refusal::MalformedToken { .. } | Refusal::OtherAlgorithm { .. } => {
            "no token of this provider looks like this: refuse the request"
        }
        Refusal::TooOld { .. } | Refusal::Expired { .. } => {
            "if it is a request that was kept, give the time at which it arrived with --at; else set the clock, or refuse the replay"
        }
        Refusal::TooNew { .. } => "set the clock, or see whether the timestamp has the unit of this provider",
        _ => return None,
    })
}
