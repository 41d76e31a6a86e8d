//! Scripts, styles and the icon: embedded, and named after what is in them, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header;

use crate::problem::Problem;
use crate::token::sha256;

struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// The paths of all assets, as pages name them.
pub(super) struct Paths {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) htmx: String,
    pub(super) sse: String,
    pub(super) icon: String,
}

static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    let asset = |stem: &str, ending: &str, media_type, bytes: &'static [u8]| {
        let digest = hex::encode(&sha256(bytes)[..6]);
        Asset { name: format!("{stem}-{digest}.{ending}"), media_type, bytes }
    };
    let (css, js) = ("text/css; charset=utf-8", "text/javascript; charset=utf-8");
    [
        asset("dashboard", "css", css, include_bytes!("assets/dashboard.css")),
        asset("dashboard", "js", js, include_bytes!("assets/dashboard.js")),
        asset("htmx", "js", js, include_bytes!("assets/htmx/htmx.min.js")),
        asset("sse", "js", js, include_bytes!("assets/htmx/sse.min.js")),
        asset("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ]
});

pub(super) static PATHS: LazyLock<Paths> = LazyLock::new(|| {
    let [style, script, htmx, sse, icon] = ASSETS.each_ref().map(|asset| format!("/assets/{}", asset.name));
    Paths { style, script, htmx, sse, icon }
});

pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let asset = found.ok_or_else(|| Problem::not_found(format!("asset {name:?}")))?;
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.bytes).into_response())
}
