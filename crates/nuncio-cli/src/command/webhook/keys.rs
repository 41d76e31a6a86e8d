//! Keys that a provider publishes, fetched from where it says and nowhere else.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use nuncio_client::retry::Policy;
use nuncio_client::{Body, Client, Context, Error, Read, Request, wire};
use nuncio_webhook::PublishedKey;
use tokio::time::Instant;

use crate::session::Session;
use crate::values;

/// Bound on what is read: 64 KiB. The longest known, a certificate with its chain, has 6.
const MAX_BYTES: usize = 64 * 1024;
/// Somebody waits for the verdict, and can ask again.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(2).unwrap();
/// Time for all attempts.
const DEADLINE: Duration = Duration::from_secs(30);

/// What stands at the URL of `key`, which was held against the provider's own before there was a `key`. Redirects are not followed.
pub(super) async fn fetch(key: &PublishedKey, session: &Session) -> Result<Arc<[u8]>, Error> {
    if key.id().is_some() {
        return Err(Error::configuration(format!(
            "the key {key} is fetched with credentials of the account"
        ))
        .advise("fetch it yourself, and give the answer with --published-key-file"));
    }
    let mut settings = wire::Settings::default();
    if let Some(file) = &session.config.cacert {
        settings.root_certificates.push(values::read_bytes(file)?);
    }
    let retry = Policy { attempts: ATTEMPTS, ..Policy::default() };
    let client = Client::builder().retry(retry).wire(settings).observer(session.observer()).build()?;
    let mut request = Request::new(Body::default());
    *request.uri_mut() = key.url().parse().map_err(|_| Error::configuration(format!("{key} is no URL")))?;
    let mut context = Context::default();
    context.read = Read::Whole { max_bytes: MAX_BYTES };
    context.deadline = Some(Instant::now() + DEADLINE);
    context.observer = session.observer();
    request.extensions_mut().insert(context);
    let answer = client.exchange().send(request).await?;
    Ok(answer.into_body().as_bytes().unwrap_or_default().into())
}
