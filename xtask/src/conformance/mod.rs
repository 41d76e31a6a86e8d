//! nuncio and its sandbox against programs that no one here wrote; see `conformance/README.md`.

mod api;
mod dashboard;
mod install;
mod node;
mod openapi;
mod python;
mod sandbox;
mod sdk;
mod servers;
mod webhooks;

use crate::step::Step;

pub(crate) const STEPS: [Step; 24] = [
    Step { name: "conformance/python/stripe", run: || sdk::python("stripe") },
    Step { name: "conformance/python/slack", run: || sdk::python("slack") },
    Step { name: "conformance/python/sendgrid", run: || sdk::python("sendgrid") },
    Step { name: "conformance/node/stripe", run: || sdk::node("stripe") },
    Step { name: "conformance/node/slack", run: || sdk::node("slack") },
    Step { name: "conformance/node/github", run: || sdk::node("github") },
    Step { name: "conformance/openapi", run: openapi::documents },
    Step { name: "conformance/servers/nginx/limits", run: || servers::nginx("limits") },
    Step { name: "conformance/servers/nginx/failures", run: || servers::nginx("failures") },
    Step { name: "conformance/servers/nginx/tls", run: || servers::nginx("tls") },
    Step { name: "conformance/servers/nginx/mtls", run: || servers::nginx("mtls") },
    Step { name: "conformance/servers/apache/digest", run: servers::apache },
    Step { name: "conformance/servers/lighttpd/digest", run: servers::lighttpd },
    Step { name: "conformance/servers/oidc-provider", run: || servers::of_node("oidc_provider") },
    Step { name: "conformance/servers/graphql-yoga", run: || servers::of_node("graphql_yoga") },
    Step { name: "conformance/servers/json-server", run: servers::json_server },
    Step { name: "conformance/servers/datasette", run: || servers::of_python("datasette", "datasette") },
    Step { name: "conformance/servers/moto", run: || servers::of_python("moto", "moto_server") },
    Step { name: "conformance/servers/verifiers", run: servers::verifiers },
    Step { name: "conformance/webhooks/python", run: webhooks::of_python },
    Step { name: "conformance/webhooks/node", run: webhooks::of_node },
    Step { name: "conformance/api", run: api::schemathesis },
    Step { name: "conformance/webhooks/route", run: webhooks::route },
    Step { name: "conformance/dashboard", run: dashboard::in_chromium },
];
