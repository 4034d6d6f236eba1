//! A request body for `http-body` that goes out once, and a response body read up to a limit.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use point_auth_core::SecretBody;
use point_auth_transport::{OnceBody, TransportError, TransportErrorKind, read_capped};

use crate::CANARY;

fn body() -> SecretBody {
    SecretBody::new(CANARY.as_bytes().to_vec())
}

async fn next(body: &mut OnceBody) -> Option<Result<Bytes, String>> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string()))
}

#[tokio::test]
async fn it_goes_out_completely_and_then_ends() {
    let (mut once, sent) = OnceBody::new(body());
    assert_eq!(once.size_hint().exact(), Some(CANARY.len() as u64));
    assert!(!once.is_end_stream() && !sent.is_raised());
    assert_eq!(next(&mut once).await.unwrap().unwrap(), CANARY.as_bytes());
    assert!(once.is_end_stream() && sent.is_raised());
    assert_eq!(once.size_hint().exact(), Some(0));
    assert!(next(&mut once).await.is_none());
}

#[tokio::test]
async fn an_empty_body_is_at_its_end_from_the_start() {
    let (mut once, _) = OnceBody::new(SecretBody::default());
    assert!(once.is_end_stream());
    assert_eq!(once.size_hint().exact(), Some(0));
    assert!(next(&mut once).await.is_none());
}

#[tokio::test]
async fn a_body_that_was_withdrawn_is_not_handed_out() {
    let (mut once, sent) = OnceBody::new(body());
    assert!(sent.withdraw());
    assert_eq!(next(&mut once).await, Some(Err("the exchange is over".to_owned())));
    assert!(!sent.is_raised());
}

#[tokio::test]
async fn a_body_that_was_asked_for_cannot_be_withdrawn() {
    let (mut once, sent) = OnceBody::new(body());
    next(&mut once).await.unwrap().unwrap();
    assert!(!sent.withdraw());
    assert!(sent.is_raised());
}

#[test]
fn its_debug_does_not_show_the_body() {
    let (once, _) = OnceBody::new(body());
    assert!(!format!("{once:?}").contains(CANARY));
}

/// A response body of these frames.
struct Frames<E>(VecDeque<Result<Frame<Bytes>, E>>);

impl<E: Unpin> Body for Frames<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.pop_front())
    }

    /// A false size hint, to show that it reserves no memory.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::MAX)
    }
}

async fn read<E: std::error::Error + Unpin + 'static>(
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, E>>,
    limit: usize,
) -> Result<SecretBody, TransportError> {
    let failed = |error: E| TransportError::classify(&error, TransportErrorKind::Other);
    read_capped(Frames(frames.into_iter().collect()), limit, failed).await
}

fn data(bytes: &'static [u8]) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::data(Bytes::from_static(bytes)))
}

#[tokio::test]
async fn frames_are_concatenated_and_trailers_are_ignored() {
    let frames = [data(b"{"), data(b""), data(b"}"), Ok(Frame::trailers(HeaderMap::new()))];
    assert_eq!(read(frames, 2).await.unwrap().as_ref(), b"{}");
}

#[tokio::test]
async fn one_byte_past_the_limit_is_too_large() {
    let error = read([data(b"12"), data(b"3")], 2).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::TooLarge);
}

#[tokio::test]
async fn a_body_that_is_cut_off_has_its_error() {
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"{"))),
        Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    ];
    assert_eq!(read(frames, 100).await.unwrap_err().kind(), TransportErrorKind::Protocol);
}

#[tokio::test]
async fn many_frames_in_a_row_let_other_tasks_run() {
    let frames = (0..1000).map(|_| data(b"x"));
    let mut reading = std::pin::pin!(read(frames, 1000));
    let mut polls = 0;
    let body = poll_fn(|context| {
        polls += 1;
        reading.as_mut().poll(context)
    })
    .await
    .unwrap();
    assert_eq!(body.len(), 1000);
    assert!(polls > 10, "{polls}");
}
