//! What can go wrong with a request.

/// Why a request was not answered as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// No connection could be made.
    Connect,
    /// The server closed the connection, or broke it.
    Closed,
    /// The answer did not come in time.
    Timeout,
    /// What came is not HTTP, or has no end.
    NotHttp,
    /// The status is not 200.
    Status,
    /// The body is no answer of a tracker, as far as it was looked at.
    Body,
    /// The tracker has answered with a failure.
    Failure,
}

impl Loss {
    pub(crate) const ALL: [Loss; 7] =
        [Loss::Connect, Loss::Closed, Loss::Timeout, Loss::NotHttp, Loss::Status, Loss::Body, Loss::Failure];

    /// For other programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Loss::Connect => "not_connected",
            Loss::Closed => "closed",
            Loss::Timeout => "timed_out",
            Loss::NotHttp => "not_http",
            Loss::Status => "other_status",
            Loss::Body => "bad_body",
            Loss::Failure => "failure",
        }
    }

    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Loss::Connect => "could not connect",
            Loss::Closed => "were closed without an answer",
            Loss::Timeout => "were not answered in time",
            Loss::NotHttp => "got no answer of HTTP",
            Loss::Status => "got a status other than 200",
            Loss::Body => "got a body that is no tracker's",
            Loss::Failure => "were refused by the tracker",
        }
    }
}
