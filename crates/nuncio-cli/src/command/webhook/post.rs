//! A webhook that is signed, and is sent once.

use std::num::NonZeroU32;

use http::{HeaderName, HeaderValue, Method};
use nuncio_client::retry::Policy;
use nuncio_client::{Call, Client, Error, wire};

use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::{fate, values};

/// A webhook that is signed.
pub(super) struct Post {
    pub(super) method: String,
    pub(super) url: String,
    /// In their order; of several of one name the last.
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Post {
    /// Sends it and writes what is answered. If that is interrupted, it says what is known.
    pub(super) async fn send(self, session: &Session) -> Result<(), Stop> {
        let mut output = Output::new(None)?;
        match fate::send(self.call(session)?, session).await? {
            Ok(answer) => output.body(&answer),
            Err(error) => Err(output.failure(&error).err().unwrap_or(Stop::Failed(error))),
        }
    }

    /// The call, which is not tried again: somebody looks at what a receiver does with one request.
    fn call(self, session: &Session) -> Result<Call, Error> {
        let mut wire = wire::Settings::default();
        if let Some(file) = &session.config.cacert {
            wire.root_certificates.push(values::read_bytes(file)?);
        }
        let once = Policy { attempts: NonZeroU32::MIN, ..Policy::default() };
        let client = Client::builder().wire(wire).retry(once).observer(session.observer()).build()?;
        let unusable = |what: &str| Error::configuration(format!("{what} cannot be sent"));
        let method: Method = self.method.parse().map_err(|_| unusable("this method"))?;
        let mut call = client.call(method, &self.url);
        if let Some(content_type) = &self.content_type {
            let content_type =
                HeaderValue::from_str(content_type).map_err(|_| unusable("this Content-Type"))?;
            call = call.body(self.body, content_type);
        }
        for (name, value) in self.headers {
            let header: HeaderName = name.parse().map_err(|_| unusable(&format!("the header {name}")))?;
            let value = value.parse().map_err(|_| unusable(&format!("the value of the header {name}")))?;
            call = call.header(header, value);
        }
        Ok(call)
    }
}
