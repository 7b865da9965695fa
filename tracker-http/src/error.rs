//! Why a request cannot be served, and the status that says so.

/// Why a request was refused before anybody looked at what it asks for.
///
/// Every one of these is answered with its [status](HttpError::status) and ends the connection: where the next
/// request would begin is not known any more. `Display` is one line, fit for the body of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The first line is not `method SP target SP version` (RFC 9112 §3).
    #[error("the request line is not: method, one space, target, one space, HTTP version")]
    RequestLine,
    /// The request target has a control byte or no byte at all, or it is an `http:` URI without a host.
    #[error("the request target is empty, or has a control byte, or names no host")]
    Target,
    /// The target is longer than [`Limits::target`](crate::parser::Limits::target).
    #[error("the request target is too long")]
    TargetTooLong,
    /// Not `HTTP/1.x`.
    #[error("this server speaks HTTP/1.1 and HTTP/1.0")]
    Version,
    /// A method that RFC 9110 does not have.
    #[error("the method is not known to this server")]
    Method,
    /// A line that does not begin with a name and a colon (RFC 9112 §5), or is folded.
    #[error("a header line does not begin with a name and a colon")]
    FieldName,
    /// A control byte in a header line, such as a CR without its LF.
    #[error("a header line has a control byte")]
    FieldValue,
    /// More header lines or bytes of them than the [`Limits`](crate::parser::Limits) allow.
    #[error("the header is too large")]
    HeadTooLarge,
    /// HTTP/1.1 without exactly one `Host`, or HTTP/1.0 with several (RFC 9112 §3.2).
    #[error("the request must have one Host header")]
    Host,
    /// A `Content-Length` that is no number, or given twice (RFC 9112 §6.3).
    #[error("Content-Length must be given once and be a decimal number")]
    ContentLength,
    /// Two lengths, or a coding that HTTP/1.0 does not have (RFC 9112 §6.1).
    #[error("Transfer-Encoding cannot be combined with Content-Length or HTTP/1.0")]
    AmbiguousLength,
    /// A transfer coding other than one `chunked` (RFC 9112 §6.1).
    #[error("the only Transfer-Encoding known to this server is chunked")]
    TransferEncoding,
    /// A body over [`Limits::body`](crate::parser::Limits::body), or one whose framing is out of proportion.
    #[error("the request body is too large")]
    BodyTooLarge,
    /// The chunked body breaks the grammar of RFC 9112 §7.1.
    #[error("the chunked request body is malformed")]
    Chunk,
}

impl HttpError {
    /// The HTTP status of the answer: 400, 413, 414, 431, 501 or 505.
    pub const fn status(self) -> u16 {
        match self {
            HttpError::RequestLine
            | HttpError::Target
            | HttpError::FieldName
            | HttpError::FieldValue
            | HttpError::Host
            | HttpError::ContentLength
            | HttpError::AmbiguousLength
            | HttpError::Chunk => 400,
            HttpError::BodyTooLarge => 413,
            HttpError::TargetTooLong => 414,
            HttpError::HeadTooLarge => 431,
            HttpError::Method | HttpError::TransferEncoding => 501,
            HttpError::Version => 505,
        }
    }
}
