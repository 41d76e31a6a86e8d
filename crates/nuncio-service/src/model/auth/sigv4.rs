//! The key `auth.sigv4`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Span;
use crate::template::Template;

/// AWS Signature Version 4, of Amazon's services and of those that speak like them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigV4 {
    /// The access key's id.
    pub access_key_id: Template,
    /// The access key's secret.
    pub secret_access_key: Template,
    /// The token that comes with an access key of limited time. Default, and when it is empty: none.
    pub session_token: Option<Template>,
    /// The region, such as `eu-west-1`.
    pub region: Template,
    /// The service, such as `execute-api` or `s3`. It decides how paths are signed.
    pub service: Template,
    /// Whether a body that is held in memory is signed. Default: yes.
    #[serde(default)]
    pub payload: Payload,
    /// Sign in the query instead of in headers, for so long, at most `7d`. Default: in headers.
    pub presigned: Option<Span>,
}

/// What stands for the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Its hash. A body that is a stream goes to S3 unsigned, over TLS, and nowhere else.
    #[default]
    Signed,
    /// `UNSIGNED-PAYLOAD`, where the service allows it.
    Unsigned,
}
