//! `nuncio connections test`.

use clap::Args as ClapArgs;
use nuncio_client::{Error, redact};

use crate::args::CallOptions;
use crate::credentials::{Credentials, Origin};
use crate::exit::Stop;
use crate::interrupt;
use crate::session::Session;
use crate::{stderr, target, values};

/// Get the credentials of a connection, a token for example, and say whether that worked; with an operation, call it
#[derive(Debug, ClapArgs)]
pub(super) struct TestCommand {
    /// The service
    service: String,
    /// An operation that does no harm
    operation: Option<String>,
    /// Its inputs: NAME=text, NAME:=json, NAME@file
    #[arg(value_name = "NAME=VALUE")]
    fields: Vec<String>,
    #[command(flatten)]
    options: CallOptions,
}

impl TestCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let interrupted = interrupt::listen(None);
        tokio::select! {
            tested = self.test(session) => Ok(tested?),
            () = interrupted.came() => Err(interrupted.stop()),
        }
    }

    async fn test(&self, session: &Session) -> Result<(), Error> {
        let service = session.catalog(self.options.service.file.as_deref())?.get(&self.service)?;
        let credentials = Credentials::find(session, &service, self.options.service.account.as_deref())?;
        let mut names = service.auth.variables().into_iter();
        if let Some(name) = names.find(|name| credentials.origin(name) == Origin::Nowhere) {
            return Err(Error::configuration(format!("{name} is neither stored nor set in the environment"))
                .advise(format!("`nuncio login {}` stores it", self.service)));
        }
        let connection = target::connect(session, &self.service, &self.options, session.observer())?;
        let whose =
            credentials.connection().map_or("the environment".to_owned(), |found| found.account.to_string());
        let Some(operation) = &self.operation else {
            let request = connection.client().get("/").authenticate().await?;
            let sent: Vec<String> = redact::headers(request.headers())
                .filter(|(_, shown)| shown.contains(redact::BLANK))
                .map(|(name, shown)| format!("{name}: {shown}"))
                .collect();
            let what = if sent.is_empty() { "not in a header".to_owned() } else { sent.join(", ") };
            stderr::line(&format!("{whose}: has credentials ({what}); the service was not called"));
            return Ok(());
        };
        let inputs = values::inputs(service.operation(operation)?, values::parse(&self.fields)?)?;
        let call = target::adjust(connection.call(operation, inputs)?, session, &self.options)?;
        let status = call.send().await?.status;
        stderr::line(&format!("{whose}: {operation} answered {status}"));
        Ok(())
    }
}
