//! Requests are in flight from their first byte until their answer is written: a drain waits for them, and refuses those that
//! come later.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};

use crate::{
    Server,
    lifecycle::{Admission, Phase},
    metrics::labels::Rejection,
    refused,
};

/// Counts a request as in flight until its answer is written, or says that the server goes.
pub(crate) async fn admitted(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    let admission = match server.lifecycle.enter() {
        Ok(admission) => admission,
        Err(error) => {
            server.context.metrics.calls.rejected(Rejection::ShuttingDown);
            return last_of_its_connection(refused::response(StatusCode::SERVICE_UNAVAILABLE, &error));
        }
    };
    request.extensions_mut().insert(admission.clone());
    let response = next.run(request).await.map(|body| Body::new(Admitted { body, _admission: admission }));
    match server.lifecycle.phase() {
        Phase::Starting | Phase::Ready => response,
        Phase::Leaving | Phase::Draining => last_of_its_connection(response),
    }
}

/// Sends the client to another instance with its next request, which this connection would lose when it is closed.
fn last_of_its_connection(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The body of an answer, which is in flight until it is written or nobody reads it any more.
struct Admitted {
    body: Body,
    _admission: Admission,
}

impl HttpBody for Admitted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
