//! What the types cannot say of credentials.

use nuncio_client::auth::hmac;
use url::Url;

use super::{Findings, Sees};
use crate::model::{ApiKey, Auth, Hmac, OAuth2};

impl Findings<'_> {
    pub(super) fn auth(&mut self, auth: &Auth) {
        self.under(&["auth"], |found| match auth {
            Auth::None => {}
            Auth::Bearer(token) => found.template("bearer", token, Sees::Env),
            Auth::ApiKey(key) => found.under(&["api_key"], |found| found.api_key(key)),
            Auth::Basic(basic) => found.under(&["basic"], |found| {
                found.template("user", &basic.user, Sees::Env);
                found.template("password", &basic.password, Sees::Env);
            }),
            Auth::OAuth2(oauth2) => found.under(&["oauth2"], |found| found.oauth2(oauth2)),
            Auth::Hmac(hmac) => found.under(&["hmac"], |found| found.hmac(hmac)),
        });
    }

    fn api_key(&mut self, key: &ApiKey) {
        if key.place().is_none() {
            self.wrong_here("a key goes to exactly one of: header, query, cookie");
        }
        if let Some(name) = &key.header {
            self.header("header", name);
        }
        self.template("value", &key.value, Sees::Env);
    }

    fn oauth2(&mut self, oauth2: &OAuth2) {
        let url = oauth2.token_url.source();
        if oauth2.token_url.is_literal() && !url.starts_with('/') && url.parse::<Url>().is_err() {
            self.wrong("token_url", format!("{url:?} is neither a URL nor a path under base_url"));
        }
        let fixed = [
            ("token_url", Some(&oauth2.token_url)),
            ("client_id", Some(&oauth2.client_id)),
            ("client_secret", Some(&oauth2.client_secret)),
            ("audience", oauth2.audience.as_ref()),
        ];
        for (key, template) in fixed.into_iter().filter_map(|(key, template)| Some((key, template?))) {
            self.template(key, template, Sees::Env);
        }
        self.under(&["params"], |found| {
            for (name, value) in &oauth2.params {
                found.template(name, value, Sees::Env);
            }
        });
    }

    fn hmac(&mut self, hmac: &Hmac) {
        self.template("secret", &hmac.secret, Sees::Env);
        let headers = [
            ("signature", hmac.signature.as_ref().map(|signature| &signature.header)),
            ("timestamp", hmac.timestamp.as_ref().map(|timestamp| &timestamp.header)),
            ("nonce", hmac.nonce.as_ref().map(|nonce| &nonce.header)),
            ("key_id", hmac.key_id.as_ref().map(|key_id| &key_id.header)),
        ];
        for (key, name) in headers.into_iter().filter_map(|(key, name)| Some((key, name?))) {
            self.under(&[key], |found| found.header("header", name));
        }
        if let Some(Err(error)) = hmac.sign.as_deref().map(str::parse::<hmac::Template>) {
            self.wrong("sign", error.to_string());
        }
        if let Some(key_id) = &hmac.key_id {
            self.under(&["key_id"], |found| found.template("value", &key_id.value, Sees::Env));
        }
    }
}
