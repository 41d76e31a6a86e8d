//! What is called: an operation of a service, or a URL.

use std::sync::Arc;

use http::Method;
use nuncio_client::auth::oauth2::TokenStore;
use nuncio_client::pages::Pages;
use nuncio_client::{Builder, Call, Client, Error, Observer, Secret, wire};
use nuncio_service::model::Auth;
use nuncio_service::{Connection, Env, Service, Settings};

use crate::adhoc;
use crate::args::{BodyOptions, CallOptions, PageOptions, ServiceOptions};
use crate::credentials::Credentials;
use crate::secret_ref::AuthRef;
use crate::session::Session;
use crate::size::Size;
use crate::values::{self, Field};

/// What the words of a command line name.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// An operation that a service file describes.
    Operation { service: String, operation: String, fields: Vec<Field> },
    /// A URL, or a path below `--base-url`. Without a method it depends on whether there is a body.
    Url { method: Option<Method>, url: String, fields: Vec<Field> },
}

/// A call, ready to be sent or shown.
pub(crate) struct Prepared {
    pub(crate) call: Call,
    /// How it pages, where a list was asked for.
    pub(crate) pages: Option<Pages>,
    /// The variable of the environment that has its credential.
    pub(crate) variable: Option<String>,
}

/// What makes a run another one: a state or journal of it is refused then. How it is made does not matter.
pub(crate) fn identity(words: &[String], options: &CallOptions) -> String {
    let query = options.query.iter().map(|(name, value)| format!("--query {name}={value}"));
    let base_url = options.service.base_url.iter().map(|url| format!("--base-url {url}"));
    // Another account has other records.
    let account = options.service.account.iter().map(|name| format!("--as {name}"));
    words.iter().cloned().chain(query).chain(base_url).chain(account).collect::<Vec<_>>().join(" ")
}

impl Target {
    pub(crate) fn parse(words: &[String]) -> Result<Self, Error> {
        let (method, rest) = match words {
            [method, rest @ ..] if is_method(method) => (method.parse().ok(), rest),
            rest => (None, rest),
        };
        match rest {
            [url, fields @ ..] if method.is_some() || url.contains("://") => {
                Ok(Self::Url { method, url: url.clone(), fields: values::parse(fields)? })
            }
            [service, operation, fields @ ..] if !operation.contains('=') => Ok(Self::Operation {
                service: service.clone(),
                operation: operation.clone(),
                fields: values::parse(fields)?,
            }),
            [service, ..] => Err(Error::configuration(format!("nothing says which operation of {service}"))
                .advise(format!("`nuncio services show {service}` lists them; a URL begins with https://"))),
            [] => Err(Error::configuration("nothing says which URL").advise("write it behind the method")),
        }
    }

    /// Makes the call. `pages` asks for all records of a list.
    pub(crate) fn prepare(
        self,
        session: &Session,
        options: &CallOptions,
        body: &BodyOptions,
        pages: Option<&PageOptions>,
        observer: Observer,
    ) -> Result<Prepared, Error> {
        let (call, mut list, variable) = match self {
            Self::Url { method, url, fields } => {
                let auth = options.auth()?;
                let client = client(session, options, auth.as_ref(), observer)?;
                let call = adhoc::call(&client, method, &url, fields, body)?;
                let variable = auth.as_ref().and_then(AuthRef::variable);
                (call, pages.map(adhoc::pages).transpose()?, variable.map(str::to_owned))
            }
            Self::Operation { service, operation, fields } => {
                body.refuse_for(&service)?;
                let connection = connect(session, &service, options, observer)?;
                let described = connection.service().operation(&operation)?;
                let call = connection.call(&operation, values::inputs(described, fields)?)?;
                if let Some(pages) = pages {
                    pages.refuse_for(&service)?;
                }
                let list = pages.map(|_| connection.pages(&operation)).transpose()?;
                let auth = described.auth.as_ref().unwrap_or(&connection.service().auth);
                (call, list, variable(auth))
            }
        };
        if let (Some(list), Some(options)) = (&mut list, pages) {
            list.max_records = options.limit.or(list.max_records);
            list.max_pages = options.max_pages.or(list.max_pages);
        }
        if let (Some(list), Some(parallel)) = (&mut list, session.concurrency(options)) {
            list.parallel = parallel;
        }
        Ok(Prepared { call: adjust(call, session, options)?, pages: list, variable })
    }
}

/// The service `name`, connected as the settings say.
pub(crate) fn connect(
    session: &Session,
    name: &str,
    options: &CallOptions,
    observer: Observer,
) -> Result<Connection, Error> {
    if options.auth.is_some() {
        return Err(Error::configuration(format!("the file of {name} says how calls prove who makes them"))
            .advise("leave --auth out, or call a URL"));
    }
    let service = session.catalog(options.service.file.as_deref())?.get(name)?;
    let credentials = Credentials::find(session, &service, options.service.account.as_deref())?;
    connect_with(session, service, &options.service, credentials.env(), credentials.tokens(), observer)
}

/// `service` with the values of `env`, and tokens that are kept in `tokens`.
pub(crate) fn connect_with(
    session: &Session,
    service: Service,
    options: &ServiceOptions,
    env: Env,
    tokens: Option<Arc<dyn TokenStore>>,
    observer: Observer,
) -> Result<Connection, Error> {
    let configured =
        session.config.services.get(&service.service).and_then(|service| service.base_url.clone());
    let settings = Settings {
        env,
        base_url: options.base_url.clone().or(configured),
        wire: wire(session, options)?,
        tokens,
        client: Builder::default().observer(observer),
    };
    Connection::new(service, settings)
}

/// A client for calls that no service file describes.
pub(crate) fn client(
    session: &Session,
    options: &CallOptions,
    auth: Option<&AuthRef>,
    observer: Observer,
) -> Result<Client, Error> {
    if options.service.account.is_some() {
        return Err(Error::configuration("an account is one of a service, and a URL is called")
            .advise("leave --as and NUNCIO_AS out, or call the service by its name"));
    }
    let mut builder = Client::builder().wire(wire(session, &options.service)?).observer(observer);
    if let Some(url) = &options.service.base_url {
        builder = builder.base_url(url);
    }
    if let Some(auth) = auth {
        builder = builder.auth(auth.read(&session.env)?);
    }
    builder.build()
}

/// Opens a PKCS#12 file.
#[cfg(feature = "pkcs12")]
const PASSPHRASE_VARIABLE: &str = "NUNCIO_CERT_PASSPHRASE";

fn wire(session: &Session, options: &ServiceOptions) -> Result<wire::Settings, Error> {
    let mut wire = wire::Settings::default();
    wire.allow_http = options.allow_http;
    if let Some(file) = options.cacert.as_ref().or(session.config.cacert.as_ref()) {
        wire.root_certificates.push(values::read_bytes(file)?);
    }
    if let Some(file) = &options.cert {
        wire.identity = Some(client_certificate(&values::read_bytes(file)?, session)?);
    }
    Ok(wire)
}

/// The certificate and key in a PEM file or, where this build has the feature, in a PKCS#12 file.
fn client_certificate(file: &[u8], session: &Session) -> Result<wire::Identity, Error> {
    #[cfg(feature = "pkcs12")]
    if !String::from_utf8_lossy(file).contains("-----BEGIN ") {
        let passphrase = session.env.get(PASSPHRASE_VARIABLE).unwrap_or_else(|| Secret::new(""));
        let refused = |error: Error| error.noting(format_args!("{PASSPHRASE_VARIABLE} has its passphrase"));
        return wire::Identity::from_pkcs12(file, &passphrase).map_err(refused);
    }
    #[cfg(not(feature = "pkcs12"))]
    let _ = session;
    wire::Identity::from_pem(file, &private_key(file))
}

/// The part of a PEM file from its first private key on: certificates are no secret.
fn private_key(pem: &[u8]) -> Secret {
    let text = String::from_utf8_lossy(pem);
    let starts = text.match_indices("-----BEGIN ").map(|(start, _)| &text[start..]);
    let is_key = |section: &&str| section.lines().next().is_some_and(|line| line.contains("PRIVATE KEY"));
    Secret::new(starts.into_iter().find(is_key).unwrap_or_default())
}

/// What the user says stands above the service file.
pub(crate) fn adjust(mut call: Call, session: &Session, options: &CallOptions) -> Result<Call, Error> {
    if let Some(timeout) = options.timeout.or(session.config.timeout) {
        call = call.timeout(timeout.0);
    }
    if let Some(deadline) = options.deadline.or(session.config.deadline) {
        call = call.deadline(deadline.0);
    }
    if let Some(Size(bytes)) = options.max_body {
        call = call.max_body_bytes(bytes);
    }
    for (name, value) in &options.query {
        call = call.param(name, value);
    }
    for (name, value) in options.headers()? {
        call = call.header(name, value);
    }
    Ok(call)
}

/// The variable of the environment that is sent as it is.
fn variable(auth: &Auth) -> Option<String> {
    let value = match auth {
        Auth::Bearer(token) => token,
        Auth::ApiKey(key) => &key.value,
        _ => return None,
    };
    let name = value.source().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("env.")?;
    name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()).then(|| name.to_owned())
}

fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" | "QUERY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Target, Error> {
        Target::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_method_or_a_scheme_makes_it_a_url() {
        let url = |method, url: &str| Target::Url { method, url: url.to_owned(), fields: Vec::new() };
        assert_eq!(parse("GET /items").unwrap(), url(Some(Method::GET), "/items"));
        assert_eq!(parse("https://a.example").unwrap(), url(None, "https://a.example"));
        let Target::Operation { service, operation, fields } =
            parse("stripe customers.list limit=3").unwrap()
        else {
            panic!("a service was named")
        };
        assert_eq!((service.as_str(), operation.as_str(), fields.len()), ("stripe", "customers.list", 1));
    }

    #[test]
    fn half_a_target_says_what_is_missing() {
        assert_eq!(parse("stripe").unwrap_err().to_string(), "nothing says which operation of stripe");
        assert_eq!(
            parse("stripe email=x").unwrap_err().to_string(),
            "nothing says which operation of stripe"
        );
        assert_eq!(parse("GET").unwrap_err().to_string(), "nothing says which URL");
    }
}
