//! Third-party APIs described by one YAML file each.

pub mod model;
pub mod template;

pub use model::{Operation, Service};
pub use template::{Condition, Env, Scope, Template, Tree};

impl Service {
    /// Reads a service file. `name` is its path, for messages.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the file is wrong.
    pub fn from_yaml(text: &str, name: &str) -> Result<Self, nuncio_client::Error> {
        let wrong = |error: String| nuncio_client::Error::configuration(format!("{name}: {error}"));
        let value: serde_json::Value =
            yaml_serde::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let service: Self = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        Ok(service.hand_down_inputs())
    }
}
