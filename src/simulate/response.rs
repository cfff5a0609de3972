//! Answers in the form in which they are sent.

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::{Response, StatusCode, header};

use super::message::Answer;
use super::script::Script;

/// A body that is sent at once, or piece by piece.
pub(super) type Body = Either<Full<Bytes>, Script>;

/// The answer without faults.
pub(super) fn respond(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status).header(header::CACHE_CONTROL, "no-cache");
    let text = answer.text();
    if let Some(kind) = answer.content_type {
        response = response.header(header::CONTENT_TYPE, kind);
    }
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(whole(text)).unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer with only a status.
pub(super) fn refused(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(whole(""));
    *response.status_mut() = status;
    response
}

/// A body that is sent at once.
pub(super) fn whole(text: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(text.into()))
}
