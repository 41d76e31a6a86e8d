//! Who signs: a provider that comes along, or a file.

use std::path::Path;

use nuncio_client::Error;
use nuncio_service::model::Webhooks;
use nuncio_service::{WebhookFile, suggest};
use nuncio_webhook::scheme::{Part, Place, SchemeRef};
use nuncio_webhook::{Scheme, provider, providers};

use crate::values;

/// A scheme, and what its file says of secrets.
pub(super) struct Source {
    /// As people call it.
    pub(super) title: String,
    pub(super) scheme: Scheme,
    pub(super) webhooks: Option<Webhooks>,
}

impl Source {
    /// The provider `name`, or what the file of that path says.
    pub(super) fn find(name: &str) -> Result<Self, Error> {
        if let Some(provider) = provider(name) {
            let (title, scheme) = (provider.title.clone(), provider.scheme.clone());
            return Ok(Self { title, scheme, webhooks: None });
        }
        let path = Path::new(name);
        let is_path = name.contains(['/', '\\']) || path.extension().is_some() || path.is_file();
        if is_path { Self::read(name) } else { Err(unknown(name)) }
    }

    fn read(path: &str) -> Result<Self, Error> {
        match WebhookFile::from_yaml(&values::read_text(path)?, path)? {
            WebhookFile::Scheme(scheme) => {
                Ok(Self { title: path.to_owned(), scheme: *scheme, webhooks: None })
            }
            WebhookFile::Service(service) => {
                let webhooks = service.webhooks.ok_or_else(|| {
                    Error::configuration(format!("the file {path} says nothing about webhooks"))
                        .advise("add the key webhooks: { scheme: …, secret: … }, or name a provider")
                })?;
                let (title, scheme) = match &webhooks.scheme {
                    SchemeRef::Provider(name) => {
                        let provider = provider(name).ok_or_else(|| unknown(name))?;
                        (provider.title.clone(), provider.scheme.clone())
                    }
                    SchemeRef::Own(scheme) => (service.service, (**scheme).clone()),
                };
                Ok(Self { title, scheme, webhooks: Some(webhooks) })
            }
        }
    }

    /// Whether a signature covers the URL, or stands in it.
    pub(super) fn reads_url(&self) -> bool {
        self.scheme.signatures.iter().any(|signature| {
            let parts = signature.signed.parts();
            matches!(signature.at, Place::Query(_))
                || parts.iter().any(|part| matches!(part, Part::Url | Part::Query(_)))
        })
    }

    /// Whether the receiver may hold a public key.
    pub(super) fn has_public_key(&self) -> bool {
        self.scheme
            .signatures
            .iter()
            .any(|signature| signature.algorithm.is_asymmetric() && signature.published.is_none())
    }
}

/// That there is no such provider.
pub(super) fn unknown(name: &str) -> Error {
    let meant = suggest(name, providers().map(|(name, _)| name));
    let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
    Error::configuration(format!("there is no provider {name}{meant}")).advise(
        "`nuncio webhook providers` lists those there are; a scheme of your own is named by the path of its file, such as ./shop.yaml",
    )
}
