//! What is sent.

use serde::Serialize;
use serde_json::{Map, Value};

use super::document::{self, Kind};
use crate::Error;

/// A GraphQL request, which serializes to the JSON body that servers expect.
///
/// ```
/// use nuncio_client::graphql;
///
/// let request = graphql::Request::new("query Recent($n: Int!) { orders(first: $n) { nodes { id } } }")
///     .variables(&serde_json::json!({"n": 10}))?;
/// assert!(request.is_query()?);
/// assert_eq!(serde_json::to_value(&request).unwrap()["variables"]["n"], 10);
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Request {
    /// The document: one operation or several, with their fragments.
    pub query: String,
    /// Which of several operations to run. Not needed for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Values of the operation's variables.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// What goes beyond the specification, such as the hash of a persisted query.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

impl Request {
    /// A request without variables.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), operation_name: None, variables: Map::new(), extensions: Map::new() }
    }

    /// Runs the operation `name` of a document that has several.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation_name = Some(name.into());
        self
    }

    /// Sets all variables.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when they are not an object.
    pub fn variables(mut self, variables: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let value = serde_json::to_value(variables)
            .map_err(|e| Error::configuration("the GraphQL variables cannot be written").because(e))?;
        let Value::Object(variables) = value else {
            return Err(Error::configuration(format!("the GraphQL variables are {value}, not an object"))
                .advise("give them by name"));
        };
        self.variables = variables;
        Ok(self)
    }

    /// Whether the operation that would run is a query: it changes nothing and may be repeated when the fate of an attempt is unknown. A
    /// mutation may not.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration), before anything is sent, when the brackets or quotes of the document do not
    /// match, when it has no operation of that name, or several and no name is given, and for a subscription.
    pub fn is_query(&self) -> Result<bool, Error> {
        let operations = document::operations(&self.query)?;
        match document::select(&operations, self.operation_name.as_deref())?.kind {
            Kind::Query => Ok(true),
            Kind::Mutation => Ok(false),
            Kind::Subscription => Err(Error::configuration(
                "the GraphQL operation is a subscription, which HTTP does not carry",
            )
            .advise("poll with a query, or use the service's webhooks")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_say_nothing_are_not_sent() {
        assert_eq!(serde_json::to_value(Request::new("{ a }")).unwrap(), json!({"query": "{ a }"}));
    }

    #[test]
    fn everything_that_was_set_is_sent() {
        let mut request =
            Request::new("query A { a }").operation("A").variables(&json!({"n": null})).unwrap();
        request.extensions.insert("persistedQuery".into(), json!({"version": 1}));
        assert_eq!(
            serde_json::to_value(request).unwrap(),
            json!({
                "query": "query A { a }",
                "operationName": "A",
                "variables": {"n": null},
                "extensions": {"persistedQuery": {"version": 1}},
            })
        );
    }

    #[test]
    fn variables_are_an_object() {
        let error = Request::new("{ a }").variables(&[7]).unwrap_err();
        assert_eq!(error.to_string(), "the GraphQL variables are [7], not an object");
    }

    #[test]
    fn only_a_query_may_be_repeated() {
        assert!(Request::new("{ a }").is_query().unwrap());
        assert!(!Request::new("mutation { a }").is_query().unwrap());
        let both = Request::new("query A { a } mutation B { b }");
        assert!(both.clone().operation("A").is_query().unwrap());
        assert!(!both.operation("B").is_query().unwrap());
    }

    #[test]
    fn a_subscription_is_refused() {
        let error = Request::new("subscription { a }").is_query().unwrap_err();
        assert_eq!(error.kind(), crate::Kind::Configuration);
    }
}
