//! What a request came to, in words.

use http::StatusCode;
use nuncio_client::{Clock, Error};
use nuncio_gateway::Arrived;
use nuncio_relay::inbox::Received;
use nuncio_relay::{EventId, Headers};
use nuncio_webhook::{Refusal, Request, Scheme, SchemeRef, Secrets, explain, verify};

use super::super::options::SecretOptions;
use super::super::refused;
use super::super::source::Source;
use crate::session::Session;

/// How it is known whether what comes is genuine.
pub(super) struct Judge {
    /// None: nobody in particular sends, and nothing is verified.
    source: Option<Source>,
    secrets: Secrets,
    forwards_unverified: bool,
    clock: Clock,
}

/// In a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Genuine,
    /// Nobody asked whether it is genuine.
    Unverified,
    /// It is not, and is forwarded all the same.
    NotGenuine,
    /// It came before.
    Again,
    Handshake,
    Refused,
    /// It could not be stored.
    Failed,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Unverified => "unverified",
            Self::NotGenuine => "not genuine",
            Self::Again => "again",
            Self::Handshake => "handshake",
            Self::Refused => "refused",
            Self::Failed => "not stored",
        }
    }
}

impl Judge {
    pub(super) fn new(
        provider: Option<&str>,
        secrets: &SecretOptions,
        forwards_unverified: bool,
        session: &Session,
    ) -> Result<Self, Error> {
        let clock = session.clock.clone();
        let Some(provider) = provider else {
            if secrets.is_given() {
                return Err(Error::configuration("a secret is given, and nobody whose it is").advise(
                    "name who sends with --provider; `nuncio webhook providers` lists those that are known",
                ));
            }
            return Ok(Self { source: None, secrets: Secrets::new(), forwards_unverified: true, clock });
        };
        let source = Source::find(provider)?;
        let secrets = secrets.read(&source, session)?;
        let nothing = Request { method: "POST", url: "", headers: &Headers::default(), body: b"" };
        let refusal = verify(&source.scheme, &nothing, &secrets, clock.now()).err();
        if let Some(refusal @ Refusal::NoSecret) = refusal
            && !forwards_unverified
        {
            let title = &source.title;
            return Err(Error::configuration(format!("no secret of {title}: {refusal}")).advise(
                "name where it is with --secret-env or --secret-file; with --forward-unverified none is needed",
            ));
        }
        Ok(Self { source: Some(source), secrets, forwards_unverified, clock })
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.source.as_ref().map(|source| source.title.as_str())
    }

    pub(super) fn scheme(&self) -> SchemeRef {
        SchemeRef::Own(Box::new(self.source.as_ref().map_or_else(of_nobody, |source| source.scheme.clone())))
    }

    pub(super) fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    pub(super) fn accepts_unverified(&self) -> bool {
        self.forwards_unverified
    }

    pub(super) fn takes_get(&self) -> bool {
        self.source.as_ref().is_some_and(|source| !source.scheme.handshakes.is_empty())
    }

    pub(super) fn verdict(&self, arrived: &Arrived) -> Verdict {
        match &arrived.received {
            Received::Stored(_) => Verdict::Genuine,
            Received::Unverified(..) if self.source.is_none() => Verdict::Unverified,
            Received::Unverified(..) => Verdict::NotGenuine,
            Received::Duplicate(_) => Verdict::Again,
            Received::Handshake => Verdict::Handshake,
            Received::Refused(_) | Received::ForeignAddress | Received::NoSource => Verdict::Refused,
            Received::Unavailable(_) => Verdict::Failed,
        }
    }

    /// What the request says it is of. It may be made up.
    pub(super) fn event_type(&self, arrived: &Arrived) -> String {
        let scheme = self.source.as_ref().map_or_else(of_nobody, |source| source.scheme.clone());
        scheme.type_of(&request(arrived)).unwrap_or_default()
    }

    /// Why it is not genuine or was not taken, what probably went wrong, and what can be done.
    pub(super) fn reasons(&self, arrived: &Arrived) -> Vec<String> {
        let refusal = match &arrived.received {
            Received::Refused(refusal) | Received::Unverified(_, refusal) => refusal,
            Received::Unavailable(reason) => return vec![reason.clone()],
            _ => return Vec::new(),
        };
        let Some(source) = &self.source else { return Vec::new() };
        let explanation = explain(&source.scheme, &request(arrived), &self.secrets, self.clock.now());
        let causes = explanation.causes.iter().map(|cause| format!("probably: {cause}"));
        let help = refused::advice_to_receiver(refusal).map(|help| format!("help: {help}"));
        std::iter::once(refusal.to_string()).chain(causes).chain(help).collect()
    }
}

/// The id under which an event is kept.
pub(super) fn id(arrived: &Arrived) -> Option<EventId> {
    match arrived.received {
        Received::Stored(id) | Received::Unverified(id, _) | Received::Duplicate(id) => Some(id),
        _ => None,
    }
}

/// Whether it was stored, and is owed to the target.
pub(super) fn is_new(arrived: &Arrived) -> bool {
    matches!(arrived.received, Received::Stored(_) | Received::Unverified(..))
        && arrived.status < StatusCode::BAD_REQUEST
}

/// Whoever sends, the type most often stands here.
fn of_nobody() -> Scheme {
    serde_json::from_str(r#"{"signatures": [], "type": {"json": "/type"}}"#).expect("a scheme")
}

fn request(arrived: &Arrived) -> Request<'_> {
    Request {
        method: arrived.method.as_str(),
        url: &arrived.url,
        headers: &arrived.headers,
        body: &arrived.body,
    }
}
