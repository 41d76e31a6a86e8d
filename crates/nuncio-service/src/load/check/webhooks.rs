//! What the types cannot say of webhooks.

use nuncio_webhook::scheme::{Part, SchemeRef};
use nuncio_webhook::{Scheme, providers};

use super::{Findings, Sees};
use crate::model::Webhooks;
use crate::suggest::unknown;

impl Findings<'_> {
    pub(super) fn webhooks(&mut self, webhooks: &Webhooks) {
        let Webhooks { scheme, secret, previous_secret, settings } = webhooks;
        self.template("secret", secret, Sees::Env);
        if let Some(previous) = previous_secret {
            self.template("previous_secret", previous, Sees::Env);
        }
        self.under(&["settings"], |found| {
            for (name, value) in settings {
                found.template(name, value, Sees::Env);
            }
        });
        if let SchemeRef::Own(scheme) = scheme {
            self.under(&["scheme"], |found| found.scheme(scheme));
        }
        match (scheme, scheme.scheme()) {
            (SchemeRef::Provider(name), None) => {
                let known: Vec<&str> = providers().map(|(name, _)| name).collect();
                self.wrong("scheme", unknown("provider", name, &known));
            }
            (_, scheme) => {
                let known: Vec<&str> = scheme.map(Scheme::settings).into_iter().flatten().collect();
                self.under(&["settings"], |found| {
                    for name in settings.keys().filter(|name| !known.contains(&name.as_str())) {
                        found.wrong(name, unknown("setting", name, &known));
                    }
                });
            }
        }
    }

    pub(super) fn scheme(&mut self, scheme: &Scheme) {
        // With handshakes alone it answers those, and takes no event.
        if scheme.signatures.is_empty() && scheme.handshakes.is_empty() {
            self.wrong("signatures", "a scheme has at least one signature, or a handshake");
        }
        for (index, signature) in scheme.signatures.iter().enumerate() {
            let parts = signature.signed.parts();
            let mut needs = |part: Part, is_there: bool, key: &str| {
                if parts.contains(&part) && !is_there {
                    let message =
                        format!("{{{key}}} is signed: say where it stands, under `{key}` of the scheme");
                    self.under(&["signatures", &index.to_string()], |found| found.wrong("signed", message));
                }
            };
            needs(Part::Timestamp, scheme.timestamp.is_some(), "timestamp");
            needs(Part::Id, scheme.id.is_some(), "id");
        }
    }
}
