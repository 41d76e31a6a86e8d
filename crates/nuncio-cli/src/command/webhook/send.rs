//! `nuncio webhook send`: a genuine webhook, for a receiver that is to be tried.

use clap::Args as ClapArgs;
use nuncio_client::Error;
use nuncio_webhook::{Outgoing, sign};

use super::options::{NameOptions, RequestOptions, SecretOptions};
use super::post::Post;
use super::sign::cannot;
use super::source::Source;
use crate::exit::Stop;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook send stripe http://localhost:8480/in/shop --secret-env STRIPE_WEBHOOK_SECRET --body-file event.json
  nuncio webhook send standard-webhooks https://shop.example.com/hooks --secret-file secret.txt --id msg_1 --body-file event.json

It is sent once: what the receiver answers is what is told, and if no answer comes, whether it arrived is not known. A receiver that goes by the id
takes it once when it is sent again with the same --id.";

/// Sign a webhook as a provider does, send it once, and write what is answered
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SendCommand {
    /// As whom: a provider (`nuncio webhook providers`), or the path of a scheme file or of a service file with webhooks
    provider: String,
    /// URL of the receiver
    url: String,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    request: RequestOptions,
    #[command(flatten)]
    name: NameOptions,
}

impl SendCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        self.post(session)?.send(session).await
    }

    fn post(self, session: &Session) -> Result<Post, Error> {
        let source = Source::find(&self.provider)?;
        let secrets = self.secrets.read(&source, session)?;
        let (method, body, id) = (self.request.method(), self.request.body()?, self.name.id());
        let outgoing = Outgoing {
            id: &id,
            signed_at: self.request.now(session),
            method: &method,
            url: &self.url,
            body: &body,
            content_type: self.name.content_type.as_deref(),
        };
        let headers = sign(&source.scheme, &outgoing, &secrets).map_err(|error| cannot(&error))?;
        let content_type = self.name.content_type(&body).map(str::to_owned);
        Ok(Post { method, url: self.url, headers, content_type, body })
    }
}
