//! What is set up: sources, applications, endpoints and types of events. In a config file they are YAML, in the API and the store JSON.

mod application;
mod auth;
mod endpoint;
mod schedule;
mod secret;
mod source;
mod status;
mod text;

pub use application::{Application, EventType};
pub use auth::Auth;
pub use endpoint::{Delivery, Endpoint, File, Filter, Http, Inputs, MAX_STEPS, Operation, Run, Target};
pub use schedule::{CatchUp, Each, Schedule, Task};
pub use secret::SecretText;
pub use source::{Dedupe, Source};
pub use status::StatusPattern;
