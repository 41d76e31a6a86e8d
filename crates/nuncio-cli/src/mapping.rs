//! From an item of `each` to the fields of its call, by templates such as `email={{ item.email }}`.

use std::sync::Arc;

use nuncio_client::Error;
use nuncio_service::{Env, Scope, Template, Tree};
use serde_json::Value;

use crate::values::{Field, Source};

/// The templates of all fields.
pub(crate) struct Mapping {
    rules: Vec<(String, Rule)>,
    env: Env,
}

enum Rule {
    Text(Template),
    Json(Tree),
    /// The path of a file.
    File(Template),
}

impl Mapping {
    /// Compiles the fields of a command line.
    pub(crate) fn new(fields: Vec<Field>, env: &Env) -> Result<Self, Error> {
        let rules = fields.into_iter().map(|Field { name, value }| {
            let refused = |cause: String| {
                Error::configuration(format!("the template of {name} cannot be used: {cause}"))
            };
            let rule = match value {
                Source::Text(text) => Rule::Text(text.parse().map_err(refused)?),
                Source::File(path) => Rule::File(path.parse().map_err(refused)?),
                Source::Json(json) => {
                    Rule::Json(serde_json::from_value(json).map_err(|error| refused(error.to_string()))?)
                }
            };
            Ok((name, rule))
        });
        Ok(Self { rules: rules.collect::<Result<_, Error>>()?, env: env.clone() })
    }

    /// The fields for `item`.
    pub(crate) fn apply(&self, item: &Arc<Value>) -> Result<Vec<Field>, Error> {
        let scope = Scope::new(&self.env).with("item", Arc::clone(item));
        let fields = self.rules.iter().map(|(name, rule)| {
            let value = match rule {
                // Text, so that what a CSV file has can become a number where its input is one.
                Rule::Text(template) => match template.value(&scope)?.unwrap_or_default() {
                    Value::String(text) => Source::Text(text),
                    other => Source::Json(other),
                },
                Rule::Json(tree) => Source::Json(tree.render(&scope)?),
                Rule::File(path) => Source::File(path.text(&scope)?),
            };
            Ok(Field { name: name.clone(), value })
        });
        fields.collect()
    }

    /// Names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn apply(fields: &[&str], item: &Value) -> Result<Vec<(String, Source)>, Error> {
        let fields = fields.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let fields = Mapping::new(fields, &Env::default())?.apply(&Arc::new(item.clone()))?;
        Ok(fields.into_iter().map(|field| (field.name, field.value)).collect())
    }

    #[test]
    fn a_field_takes_the_type_of_its_one_expression() {
        let item = json!({"email": "ada@example.com", "cents": 100, "tags": ["new"]});
        let fields = [
            "email={{ item.email }}",
            "cents={{ item.cents }}",
            "note=for {{ item.email }}",
            "t:={\"all\": \"{{ item.tags }}\"}",
        ];
        let expected = [
            ("email", Source::Text("ada@example.com".to_owned())),
            ("cents", Source::Json(json!(100))),
            ("note", Source::Text("for ada@example.com".to_owned())),
            ("t", Source::Json(json!({"all": ["new"]}))),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(apply(&fields, &item).unwrap(), expected);
    }

    #[test]
    fn a_missing_field_of_an_item_and_a_wrong_template_are_errors() {
        assert!(apply(&["email={{ item.emial }}"], &json!({"email": "x"})).is_err());
        let error = apply(&["email={{ item."], &json!({})).unwrap_err();
        assert!(error.to_string().starts_with("the template of email cannot be used"), "{error}");
    }
}
