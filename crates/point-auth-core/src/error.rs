//! stub
/// stub
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// b
    #[error("the request body could not be written as JSON")]
    Body,
}
