//! The rest of an answer that is not copied into its connection: a body that many share, or one that the pool writes.

use std::io::ErrorKind;

use crossbeam::channel::{Receiver, TryRecvError};

use super::{Driven, End, Socket};
use crate::connection::Body;
use crate::counters::Tally;
use crate::head::{self, LAST_CHUNK};
use crate::slow::Piece;
use crate::waiting::Wait;
use crate::worker::Buffers;

/// How much of a shared body goes out with the head, as a copy.
const FIRST_SHARED: usize = 16 << 10;

/// See the module's documentation.
#[derive(Debug)]
pub(super) enum Tail {
    Streamed(Streaming),
    Shared(Sharing),
}

impl Tail {
    /// Whether it is the last answer.
    pub(super) fn closes(&self) -> bool {
        match self {
            Tail::Streamed(streaming) => streaming.closes,
            Tail::Shared(sharing) => sharing.body.closes,
        }
    }
}

/// A body that is written from where it lies.
#[derive(Debug)]
pub(super) struct Sharing {
    body: Body,
    /// How much of it the socket has taken.
    sent: usize,
}

/// An answer that the pool writes.
#[derive(Debug)]
pub(super) struct Streaming {
    pieces: Receiver<Piece>,
    is_chunked: bool,
    closes: bool,
}

impl Socket {
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.tail.as_deref(), Some(Tail::Streamed(_)))
    }

    /// The answer to the last request comes in pieces from now on.
    pub(crate) fn stream(&mut self, pieces: Receiver<Piece>, is_chunked: bool, closes: bool) {
        self.tail = Some(Box::new(Tail::Streamed(Streaming { pieces, is_chunked, closes })));
    }

    /// Writes answers and, in the same call, the beginning of the body behind the last one. Keeps what the socket does not
    /// take of the answers.
    pub(super) fn begin_shared(&mut self, body: Body, answers: &[u8], output: &mut Vec<u8>, tally: &Tally) {
        output.clear();
        output.extend_from_slice(answers);
        output.extend_from_slice(&body.bytes[..body.bytes.len().min(FIRST_SHARED)]);
        let mut sharing = Sharing { body, sent: 0 };
        match self.stream.write(output, tally) {
            Ok(written) => {
                let of_answers = written.min(answers.len());
                self.output.extend_from_slice(&answers[of_answers..]);
                sharing.sent = written - of_answers;
            }
            // an error that stays is met again by the next write
            Err(_) => self.output.extend_from_slice(answers),
        }
        self.tail = Some(Box::new(Tail::Shared(sharing)));
    }

    /// Writes more of a shared body. `None` if it is complete, or nobody takes it.
    pub(super) fn write_shared(&mut self, limit: u64, tally: &Tally) -> Option<Driven> {
        while let Some(Tail::Shared(sharing)) = self.tail.as_deref_mut() {
            if sharing.sent == sharing.body.bytes.len() {
                if sharing.body.closes {
                    self.end = End::Linger;
                }
                self.tail = None;
                break;
            }
            let progress = self.stream.progress();
            if progress >= limit {
                return Some(Driven::Again);
            }
            let rest = &sharing.body.bytes[sharing.sent..];
            let room = (limit - progress).min(rest.len() as u64) as usize;
            match self.stream.write(&rest[..room], tally) {
                Ok(written) => sharing.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Some(Driven::Waits(Some(Wait::Output)));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.mute(),
            }
        }
        None
    }

    /// Sends what the pool has written. `None` if the answer is complete.
    pub(super) fn take_pieces(&mut self, buffers: &mut Buffers, tally: &Tally) -> Option<Driven> {
        let output = &mut buffers.output;
        while let Some(Tail::Streamed(streaming)) = self.tail.as_deref() {
            output.clear();
            match streaming.pieces.try_recv() {
                Ok(Piece::Bytes(piece)) if streaming.is_chunked => head::chunk(output, &piece),
                Ok(Piece::Bytes(piece)) => output.extend_from_slice(&piece),
                Ok(Piece::End) => {
                    if streaming.is_chunked {
                        output.extend_from_slice(LAST_CHUNK);
                    }
                    if streaming.closes {
                        self.end = End::Linger;
                    }
                    self.tail = None;
                }
                Err(TryRecvError::Empty) => return Some(Driven::Waits(None)),
                Err(TryRecvError::Disconnected) => return Some(Driven::Close),
            }
            self.write(output, tally);
            if self.has_unsent() {
                return Some(Driven::Waits(Some(Wait::Output)));
            }
        }
        None
    }
}
