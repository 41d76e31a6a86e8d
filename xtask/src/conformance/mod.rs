//! nuncio and its sandbox against programs that no one here wrote; see `conformance/README.md`.

mod install;
mod node;
mod python;
mod sandbox;
mod sdk;

use crate::step::Step;

pub(crate) const STEPS: [Step; 4] = [
    Step { name: "conformance/python/stripe", run: || sdk::python("stripe") },
    Step { name: "conformance/python/slack", run: || sdk::python("slack") },
    Step { name: "conformance/python/sendgrid", run: || sdk::python("sendgrid") },
    Step { name: "conformance/node/stripe", run: || sdk::node("stripe") },
];
