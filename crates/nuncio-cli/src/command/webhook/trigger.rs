//! `nuncio webhook trigger`: an event as a provider sends it, made up and signed.

use std::time::SystemTime;

use clap::Args as ClapArgs;
use nuncio_client::{Error, Random, Redactor};
use nuncio_sandbox::events::{self, Body, Draft};
use nuncio_service::suggest;
use nuncio_webhook::scheme::Place;
use nuncio_webhook::{CannotSign, Outgoing, Refusal, Scheme, Secrets, provider, sign};
use serde_json::{Value, json};

use super::listen;
use super::options::{SecretOptions, TimeOption};
use super::post::Post;
use super::set::Assignment;
use super::sign::cannot;
use super::source::{Source, unknown};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook trigger --list
  nuncio webhook trigger stripe charge.failed --secret-env STRIPE_WEBHOOK_SECRET --set data.object.amount=1500
  nuncio webhook trigger github push --secret-file secret.txt --to http://localhost:3000/github
  nuncio webhook trigger shopify orders/paid --secret-env SHOPIFY_SECRET --set email=grace@example.com

Everything in an event is made up; ids and times are new each time. It is sent once, to `nuncio webhook listen` unless --to says otherwise.";

/// Send an event as a provider does, made up and signed
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TriggerCommand {
    /// As whom (`--list` has them)
    #[arg(value_name = "PROVIDER", required_unless_present = "list")]
    provider: Option<String>,
    /// Which event
    #[arg(value_name = "EVENT", required_unless_present = "list")]
    event: Option<String>,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    time: TimeOption,
    /// URL of the receiver [default: that of `nuncio webhook listen`, http://127.0.0.1:8481]
    #[arg(long, value_name = "URL", help_heading = "Request")]
    to: Option<String>,
    /// Change a field of the body, by its path: data.object.amount=1500, items.0.name=mug; `:=` takes JSON. A number stays one
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Request")]
    set: Vec<Assignment>,
    /// Id of the event, where that is sent in a header. Default: a new one
    #[arg(long, value_name = "ID", help_heading = "Request")]
    id: Option<String>,
    /// Make the same ids as every time with this number
    #[arg(long, value_name = "N", help_heading = "Request")]
    seed: Option<u64>,
    /// Write what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// List the events, those of PROVIDER alone if it is given
    #[arg(long, conflicts_with_all = ["event", "dry_run"])]
    list: bool,
}

impl TriggerCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        if self.list {
            return list(self.provider.as_deref(), session);
        }
        let dry_run = self.dry_run;
        let post = self.post(session)?;
        if dry_run {
            return show(&post, session);
        }
        post.send(session).await
    }

    fn post(self, session: &Session) -> Result<Post, Error> {
        let (name, event) = (self.provider.unwrap_or_default(), self.event.unwrap_or_default());
        let source = known(&name)?;
        let signed_at = self.time.now(session);
        let since_epoch = signed_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let seed = self.seed.unwrap_or_else(|| u64::try_from(Random::new().bits() >> 64).unwrap_or_default());
        let mut draft =
            events::draft(&name, &event, since_epoch, seed).ok_or_else(|| no_event(&name, &event))?;
        self.set.iter().try_for_each(|assignment| assignment.apply(&mut draft.body))?;
        draft.id = self.id.unwrap_or(draft.id);
        let secrets = self.secrets.read(&source, session)?;
        let url = self.to.unwrap_or_else(listen::default_url);
        let signed = signed(&source.scheme, &mut draft, &secrets, signed_at, &url)
            .map_err(|error| explained(&error, &source, &name))?;
        let content_type = Some(draft.body.media_type().to_owned());
        let headers = draft.headers.into_iter().chain(signed).collect();
        Ok(Post { method: METHOD.to_owned(), url, headers, content_type, body: draft.body.to_bytes() })
    }
}

const METHOD: &str = "POST";

/// The headers that sign the event. Where the signature stands in the body, it is put there.
fn signed(
    scheme: &Scheme,
    draft: &mut Draft,
    secrets: &Secrets,
    signed_at: SystemTime,
    url: &str,
) -> Result<Vec<(String, String)>, CannotSign> {
    let body = draft.body.to_bytes();
    let content_type = Some(draft.body.media_type());
    let outgoing = Outgoing { id: &draft.id, signed_at, method: METHOD, url, body: &body, content_type };
    let [signature] = &scheme.signatures[..] else { return sign(scheme, &outgoing, secrets) };
    let (Place::Json(pointer), None, Body::Json(value)) = (&signature.at, &signature.each, &mut draft.body)
    else {
        return sign(scheme, &outgoing, secrets);
    };
    let Some(place) = value.pointer_mut(pointer) else { return sign(scheme, &outgoing, secrets) };
    // Made as it would be for a header, and put where it belongs: no such signature covers itself.
    let mut in_header = scheme.clone();
    in_header.signatures[0].at = serde_json::from_value(json!({ "header": SIGNATURE })).expect("a place");
    let headers = sign(&in_header, &outgoing, secrets)?;
    let (signatures, others): (Vec<_>, Vec<_>) = headers.into_iter().partition(|(name, _)| name == SIGNATURE);
    if let Some((_, signature)) = signatures.into_iter().next() {
        *place = signature.into();
    }
    Ok(others)
}

const SIGNATURE: &str = "x-signature-of-the-body";

/// The provider, if there are events of it.
fn known(name: &str) -> Result<Source, Error> {
    if events::providers().any(|known| known == name) {
        return Source::find(name);
    }
    if provider(name).is_none() {
        return Err(unknown(name));
    }
    Err(Error::configuration(format!("there are no events of {name} to send"))
        .advise("`--list` has those there are; `nuncio webhook send` signs a body of your own, for schemes by a shared secret"))
}

fn no_event(provider: &str, event: &str) -> Error {
    let meant = suggest(event, events::names(provider));
    let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
    Error::configuration(format!("there is no event {event} of {provider}{meant}")).advise(format!(
        "there are: {}. To send another, change one with --set, or sign a body of your own with `nuncio webhook send`",
        events::names(provider).collect::<Vec<_>>().join(", ")
    ))
}

fn explained(error: &CannotSign, source: &Source, name: &str) -> Error {
    match error {
        CannotSign::Content(Refusal::NoSecret | Refusal::UnusableSecret { .. }) if source.has_public_key() => {
            Error::configuration(format!("{} signs with a private key of its own", source.title)).advise(format!(
                "`nuncio webhook secret --provider {name} > key.pem` makes a key of yours and shows its public half: sign with --secret-file key.pem, and \
                 give the public half to whoever verifies"
            ))
        }
        other => cannot(other),
    }
}

/// The events, by provider.
fn list(provider: Option<&str>, session: &Session) -> Result<(), Stop> {
    if let Some(name) = provider {
        known(name)?;
    }
    let mut output = Output::new(None)?;
    for name in events::providers().filter(|name| provider.is_none_or(|only| only == *name)) {
        if session.global.json {
            output.line(
                &json!({ "provider": name, "events": events::names(name).collect::<Vec<_>>() }).to_string(),
            )?;
            continue;
        }
        for event in events::names(name) {
            output.line(&format!("{name:<22} {event}"))?;
        }
    }
    output.flush()
}

/// What would be sent; no secret.
fn show(post: &Post, session: &Session) -> Result<(), Stop> {
    let redactor = Redactor::global();
    let body = String::from_utf8_lossy(&post.body);
    let content_type = post.content_type.iter().map(|value| ("content-type", value.as_str()));
    let headers: Vec<(&str, &str)> = content_type
        .chain(post.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .collect();
    let mut output = Output::new(None)?;
    if session.global.json {
        let headers: serde_json::Map<String, Value> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), redactor.redact(value).as_ref().into()))
            .collect();
        let shown = json!({ "method": post.method, "url": post.url, "headers": headers, "body": redactor.redact(&body) });
        output.line(&shown.to_string())?;
        return output.flush();
    }
    output.line(&format!("{} {}", post.method, post.url))?;
    for (name, value) in headers {
        output.line(&redactor.redact(&format!("{name}: {value}")))?;
    }
    output.line("")?;
    output.line(&redactor.redact(&body))?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::{HeaderMap, HeaderName, HeaderValue};
    use nuncio_webhook::{Request, generate_private_key, handshake, verify};

    use super::*;

    const URL: &str = "https://shop.example.com/hooks";

    /// A secret as this provider shows them, by which it is signed, and what it is verified by.
    fn secrets(scheme: &Scheme) -> (Secrets, Secrets) {
        if let Some((private, public)) = generate_private_key(scheme) {
            return (Secrets::new().with("key", private), Secrets::new().with("key", public));
        }
        let written = [
            "made-up-secret-of-a-trigger",
            "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=",
            "6d6164652d75702d6b6579",
        ];
        let outgoing = Outgoing {
            id: "a",
            signed_at: UNIX_EPOCH,
            method: METHOD,
            url: URL,
            body: b"{}",
            content_type: None,
        };
        let usable = written.map(|text| Secrets::new().with("current", text));
        let found = usable.into_iter().find(|secrets| {
            !matches!(
                sign(scheme, &outgoing, secrets),
                Err(CannotSign::Content(Refusal::UnusableSecret { .. }))
            )
        });
        let found = found.expect("one of these is as the provider writes them");
        (found.clone(), found)
    }

    #[test]
    fn every_event_is_genuine_by_its_own_scheme_and_has_the_type_and_id_that_the_scheme_reads() {
        let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        for name in events::providers() {
            let scheme = &provider(name).unwrap_or_else(|| panic!("{name} is no provider")).scheme;
            let (private, public) = secrets(scheme);
            let mut ids = std::collections::BTreeSet::new();
            for (seed, event) in events::names(name).enumerate() {
                let mut draft =
                    events::draft(name, event, Duration::from_secs(1_760_000_000), seed as u64).unwrap();
                let mut headers = draft.headers.clone();
                headers.extend(
                    signed(scheme, &mut draft, &private, now, URL)
                        .unwrap_or_else(|error| panic!("{name} {event}: {error}")),
                );
                headers.push(("content-type".to_owned(), draft.body.media_type().to_owned()));
                let mut map = HeaderMap::new();
                for (name, value) in &headers {
                    map.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
                }
                let body = draft.body.to_bytes();
                let request = Request { method: METHOD, url: URL, headers: &map, body: &body };
                let is_handshake = handshake(scheme, &request, &public, now).unwrap().is_some();
                let verified = verify(scheme, &request, &public, now)
                    .unwrap_or_else(|refusal| panic!("{name} {event}: {refusal}"));
                assert!(!is_handshake || event == "ping", "{name} {event} is taken for a handshake");
                let is_form = matches!(draft.body, Body::Form(_));
                if scheme.event_type.is_some() && !is_form {
                    let kind = verified.event_type().unwrap_or_else(|| panic!("{name} {event} has no type"));
                    let last = event.rsplit(['.', '/', ':', '_', '-']).next().unwrap_or_default();
                    assert!(!kind.is_empty(), "{name} {event} {last}");
                }
                if scheme.id.is_some() && !is_form {
                    let id = verified.id().unwrap_or_else(|| panic!("{name} {event} has no id"));
                    assert!(ids.insert(id), "{name} {event} has the id of another");
                }
            }
        }
    }

    #[test]
    fn a_signature_in_the_body_is_put_there() {
        let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        let mut draft = events::draft("mailgun", "delivered", Duration::from_secs(1_760_000_000), 1).unwrap();
        let secrets = Secrets::new().with("current", "made-up-secret-of-a-trigger");
        let headers = signed(&provider("mailgun").unwrap().scheme, &mut draft, &secrets, now, URL).unwrap();
        assert_eq!(headers, []);
        let Body::Json(body) = draft.body else { panic!("no JSON") };
        assert_eq!(body["signature"]["signature"].as_str().map(str::len), Some(64));
    }
}
