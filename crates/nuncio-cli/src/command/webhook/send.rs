//! `nuncio webhook send`: a genuine webhook, for a receiver that is to be tried.

use clap::Args as ClapArgs;
use http::{HeaderName, HeaderValue, Method};
use nuncio_client::{Call, Client, Error, wire};
use nuncio_webhook::{Outgoing, sign};

use super::options::{RequestOptions, SecretOptions};
use super::sign::{cannot, new_id};
use super::source::Source;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook send stripe http://localhost:8480/in/shop --secret-env STRIPE_WEBHOOK_SECRET --body-file event.json
  nuncio webhook send standard-webhooks https://shop.example.com/hooks --secret-file secret.txt --id msg_1 --body-file event.json";

/// Sign a webhook as a provider does, send it, and write what is answered
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
    /// Id of the event, the same in every attempt to deliver it. Default: a random one
    #[arg(long, value_name = "ID", help_heading = "Request")]
    id: Option<String>,
    /// Content-Type that it is sent with [default: application/json for a body of JSON, application/octet-stream for others]
    #[arg(long, value_name = "TYPE", help_heading = "Request")]
    content_type: Option<String>,
}

impl SendCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let call = self.call(session)?;
        let mut output = Output::new(None)?;
        match call.send().await {
            Ok(answer) => output.body(&answer),
            Err(error) => Err(output.failure(&error).err().unwrap_or(Stop::Failed(error))),
        }
    }

    fn call(&self, session: &Session) -> Result<Call, Error> {
        let source = Source::find(&self.provider)?;
        let secrets = self.secrets.read(&source, session)?;
        let (method, body) = (self.request.method(), self.request.body()?);
        let outgoing = Outgoing {
            id: &self.id.clone().unwrap_or_else(new_id),
            signed_at: self.request.now(session),
            method: &method,
            url: &self.url,
            body: &body,
            content_type: self.content_type.as_deref(),
        };
        let headers = sign(&source.scheme, &outgoing, &secrets).map_err(|error| cannot(&error))?;
        let mut wire = wire::Settings::default();
        if let Some(file) = &session.config.cacert {
            wire.root_certificates.push(values::read_bytes(file)?);
        }
        let client = Client::builder().wire(wire).observer(session.observer()).build()?;
        let unusable = |what: &str| Error::configuration(format!("{what} cannot be sent"));
        let method: Method = method.parse().map_err(|_| unusable("this method"))?;
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
        let default = if is_json { "application/json" } else { "application/octet-stream" };
        let content_type = HeaderValue::from_str(self.content_type.as_deref().unwrap_or(default))
            .map_err(|_| unusable("this Content-Type"))?;
        let mut call = client.call(method, &self.url);
        if !body.is_empty() {
            call = call.body(body, content_type);
        }
        for (name, value) in headers {
            let header: HeaderName = name.parse().map_err(|_| unusable(&format!("the header {name}")))?;
            let value = value.parse().map_err(|_| unusable(&format!("the value of the header {name}")))?;
            call = call.header(header, value);
        }
        Ok(call)
    }
}
