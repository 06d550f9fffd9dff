//! How large a request to each route may be and how long it may take, as the table of doors says: one that takes much or
//! waits long, as for a file, does not let others in for more.

use std::{collections::HashMap, sync::Arc};

use axum::{
    RequestExt, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use tulou_protocol::openapi::{Bounds, DOORS};

/// The bounds of each route, by method and path.
pub struct Table {
    routes: HashMap<(&'static str, &'static str), Bounds>,
    /// What holds for everything else: no more than any route has.
    least: Bounds,
}

impl Table {
    /// The bounds of all doors.
    pub fn of_doors() -> Self {
        Self::of(
            DOORS
                .iter()
                .map(|door| ((door.method, door.path), door.bounds)),
        )
    }

    fn of(routes: impl IntoIterator<Item = ((&'static str, &'static str), Bounds)>) -> Self {
        let routes: HashMap<_, _> = routes.into_iter().collect();
        let least = routes.values().fold(Bounds::USUAL, |least, bounds| Bounds {
            body_bytes: least.body_bytes.min(bounds.body_bytes),
            answered_within: least.answered_within.min(bounds.answered_within),
        });
        Self { routes, least }
    }

    /// Has every route of a router keep to its bounds. They are an extension of each request.
    pub fn bind<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        let table = Arc::new(self);
        router.layer(from_fn(move |request: Request, next: Next| {
            keep(table.bounds_of(&request), request, next)
        }))
    }

    fn bounds_of(&self, request: &Request) -> Bounds {
        let path = request.extensions().get::<MatchedPath>();
        path.and_then(|path| self.routes.get(&(request.method().as_str(), path.as_str())))
            .copied()
            .unwrap_or(self.least)
    }
}

async fn keep(bounds: Bounds, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(bounds);
    DefaultBodyLimit::max(bounds.body_bytes).apply(&mut request);
    let mut request = request.with_limited_body();
    // The body itself ends there, whoever reads it: no extractor has to count once more.
    DefaultBodyLimit::disable().apply(&mut request);
    match tokio::time::timeout(bounds.answered_within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{
        body::{Body, Bytes, to_bytes},
        routing::{any, get, post},
    };
    use tokio::time::Instant;
    use tower::ServiceExt;

    use super::*;

    const fn bounds(body_bytes: usize, seconds: u64) -> Bounds {
        Bounds {
            body_bytes,
            answered_within: Duration::from_secs(seconds),
        }
    }

    /// A router of which three routes are in the table, one is not.
    fn bound(router: Router) -> Router {
        let table = Table::of([
            (("POST", "/small"), bounds(20, 5)),
            (("POST", "/large/{id}"), bounds(2_000, 600)),
            (("GET", "/quick"), bounds(200, 2)),
        ]);
        table.bind(router)
    }

    async fn ask(router: &Router, method: &str, path: &str, bytes: usize) -> StatusCode {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(vec![b'x'; bytes]))
            .unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn each_route_reads_as_much_as_its_own_bounds_say_and_what_has_none_the_least() {
        /// Reads a body as it comes, as who stores a file does.
        async fn stream(request: Request) -> StatusCode {
            match to_bytes(request.into_body(), usize::MAX).await {
                Ok(_) => StatusCode::OK,
                Err(_) => StatusCode::PAYLOAD_TOO_LARGE,
            }
        }
        let whole = |_: Bytes| async { StatusCode::OK };
        let router = bound(
            Router::new()
                .route("/small", any(whole))
                .route("/large/{id}", post(whole).put(stream))
                .route("/quick", get(stream))
                .route("/unlisted", post(stream))
                .fallback(stream),
        );
        for (method, path, most) in [
            ("POST", "/small", 20),
            ("POST", "/large/7", 2_000),
            ("GET", "/quick", 200),
            ("POST", "/unlisted", 20),
            ("PUT", "/small", 20),
            // Only another method of the path has more.
            ("PUT", "/large/7", 20),
            ("POST", "/nowhere", 20),
        ] {
            let what = format!("{method} {path}");
            assert_eq!(ask(&router, method, path, most).await, 200, "{what}");
            let more = ask(&router, method, path, most + 1).await;
            assert_eq!(more, 413, "{what} reads no more than {most} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_route_has_as_long_as_its_own_bounds_say_and_what_has_none_the_least() {
        let never = std::future::pending::<StatusCode>;
        let router = bound(
            Router::new()
                .route("/small", post(never))
                .route("/large/{id}", any(never))
                .route("/quick", get(never))
                .fallback(never),
        );
        for (method, path, seconds) in [
            ("POST", "/small", 5),
            ("POST", "/large/7", 600),
            ("GET", "/quick", 2),
            ("PUT", "/large/7", 2),
            ("POST", "/nowhere", 2),
        ] {
            let begun = Instant::now();
            assert_eq!(ask(&router, method, path, 1).await, 408, "{method} {path}");
            assert_eq!(begun.elapsed().as_secs(), seconds, "{method} {path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_in_is_not_waited_for() {
        let trickle = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        let router = bound(Router::new().route("/small", post(|_: Bytes| async { "read" })));
        let request = Request::post("/small")
            .body(Body::from_stream(trickle))
            .unwrap();
        let begun = Instant::now();
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 408, "20 bytes would take 20 seconds");
        assert_eq!(begun.elapsed().as_secs(), 5);
    }

    #[test]
    fn what_is_not_in_the_table_gets_no_more_than_is_usual() {
        let table = Table::of([(("POST", "/large"), bounds(1 << 30, 3_600))]);
        assert_eq!(table.least, Bounds::USUAL);
    }
}
