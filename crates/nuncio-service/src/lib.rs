//! Third-party APIs described by one YAML file each.

mod catalog;
mod inputs;
mod load;
pub mod model;
mod path;
mod request;
mod schema;
mod suggest;
pub mod template;

pub use catalog::{Catalog, Origin};
pub use inputs::{Checked, File, Given, Inputs};
pub use load::{MAX_FILE_BYTES, Problem, Problems};
pub use model::{Operation, Service};
pub use schema::service_schema;
pub use suggest::suggest;
pub use template::{Condition, Env, Scope, Template, Tree};
