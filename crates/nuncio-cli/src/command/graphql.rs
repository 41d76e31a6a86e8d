//! `nuncio graphql`: a query or mutation from a file.

use std::path::Path;

use clap::Args as ClapArgs;
use nuncio_client::{Call, Error, graphql};

use super::call;
use crate::args::{AnswerOptions, CallOptions, KeyOptions, PreviewOptions};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::target::{adjust, connect};
use crate::{preview, values};

const EXAMPLES: &str = "\
Examples:
  nuncio graphql github viewer.graphql
  echo '{ viewer { login } }' | nuncio graphql github - --jq .data.viewer.login
  nuncio graphql example orders.graphql n:=10";

/// Send a GraphQL query or mutation from a file; an answer with errors is a failure
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GraphQlCommand {
    /// The service
    service: String,
    /// File with the query; - for standard input
    query_file: String,
    /// Variables: NAME=text, NAME:=json, NAME@file
    #[arg(value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// Which of several operations in the file to run
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    #[command(flatten)]
    options: CallOptions,
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    preview: PreviewOptions,
    #[command(flatten)]
    answer: AnswerOptions,
}

impl GraphQlCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let output = Output::new(self.answer.jq.as_deref())?;
        let call = self.call(session)?;
        if self.preview.is_wanted() {
            return preview::show(call, &self.preview, None, session);
        }
        call::one(call, &self.key, &self.answer, session, output).await
    }

    fn call(&self, session: &Session) -> Result<Call, Error> {
        let connection = connect(session, &self.service, &self.options, session.observer())?;
        let variables = values::object(values::parse(&self.variables)?)?;
        let mut request =
            graphql::Request::new(values::read_text(&self.query_file)?).variables(&variables)?;
        if let Some(operation) = &self.operation {
            request = request.operation(operation);
        }
        let name = Path::new(&self.query_file).file_stem().unwrap_or_default().to_string_lossy();
        let call = connection.graphql(&request)?.operation(name.as_ref());
        adjust(call, session, &self.options)
    }
}
