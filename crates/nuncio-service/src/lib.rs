//! Third-party APIs described by one YAML file each.

mod load;
pub mod model;
mod path;
mod suggest;
pub mod template;

pub use load::{MAX_FILE_BYTES, Problem, Problems};
pub use model::{Operation, Service};
pub use suggest::suggest;
pub use template::{Condition, Env, Scope, Template, Tree};
