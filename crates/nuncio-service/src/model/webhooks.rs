//! How the service's webhooks are verified: the key `webhooks`.

use std::collections::BTreeMap;

use nuncio_client::Error;
use nuncio_webhook::{SchemeRef, Secrets};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::{Env, Scope, Template};

/// How the service's webhooks are verified, by `nuncio webhook verify` and `nuncio_webhook::verify`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// How they are signed: the name of a provider that nuncio knows, such as `stripe`, or a scheme that is written out.
    pub scheme: SchemeRef,
    /// The secret or the public key, as the provider shows it.
    pub secret: Template,
    /// The secret before this one, which is good too while it is rotated. Without its environment variable it is none. Default: none.
    pub previous_secret: Option<Template>,
    /// What else the scheme asks for, by name, such as the `app_key` of Pusher. Default: nothing.
    #[serde(default)]
    pub settings: BTreeMap<String, Template>,
}

impl Webhooks {
    /// What the receiver knows, with the values of `env`. The secrets have the labels `secret` and `previous_secret`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when an environment variable is missing, except those of `previous_secret`.
    pub fn secrets(&self, env: &Env) -> Result<Secrets, Error> {
        let scope = Scope::new(env);
        let mut secrets = Secrets::new().with("secret", self.secret.secret(&scope)?.expose());
        if let Some(previous) = &self.previous_secret
            && is_set(previous, env)
        {
            secrets = secrets.with("previous_secret", previous.secret(&scope)?.expose());
        }
        self.settings(secrets, env)
    }

    /// `secrets` and the settings, for secrets from elsewhere.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when an environment variable is missing.
    pub fn settings(&self, secrets: Secrets, env: &Env) -> Result<Secrets, Error> {
        let scope = Scope::new(env);
        self.settings.iter().try_fold(secrets, |secrets, (name, value)| {
            // One from the environment may be as secret as a token.
            Ok(secrets.setting(name, value.secret(&scope)?.expose()))
        })
    }
}

fn is_set(template: &Template, env: &Env) -> bool {
    let variables = template.needs();
    variables.iter().filter_map(|variable| variable.strip_prefix("env.")).all(|name| env.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Service;

    const FILE: &str = r#"
service: shop
base_url: https://api.example.com
webhooks:
  scheme: pusher
  secret: "{{ env.NEW }}"
  previous_secret: "{{ env.OLD }}"
  settings: { app_key: "{{ env.APP_KEY }}" }
"#;

    fn secrets(names: &'static [&str]) -> Result<Secrets, Error> {
        let env = Env::new(|name| names.contains(&name).then(|| format!("made-up-{name}")));
        Service::from_yaml(FILE, "shop.yaml").unwrap().webhooks.unwrap().secrets(&env)
    }

    #[test]
    fn a_previous_secret_is_one_only_while_its_variable_is_set() {
        let both = secrets(&["NEW", "OLD", "APP_KEY"]).unwrap();
        assert_eq!(format!("{both:?}"), "Secrets(secret, previous_secret)");
        assert_eq!(format!("{:?}", secrets(&["NEW", "APP_KEY"]).unwrap()), "Secrets(secret)");
    }

    #[test]
    fn a_variable_that_is_missing_is_named() {
        assert!(secrets(&["OLD", "APP_KEY"]).unwrap_err().to_string().contains("NEW"));
        assert!(secrets(&["NEW"]).unwrap_err().to_string().contains("APP_KEY"));
    }
}
