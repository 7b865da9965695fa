//! Reading a request's body past, so that the next request can be read (RFC 9112 §6 and §7.1).

use crate::error::HttpError;
use crate::parser::BodyKind;

/// A body on its way out: give it what comes, until it says that this was all.
///
/// It keeps nothing of the body; 24 bytes, whatever comes.
#[derive(Debug)]
pub struct BodySkip {
    /// Bytes left of the body, or of this chunk. Invariant: at most `room`, once data was taken.
    left: u64,
    /// Bytes of data that later chunks, and this one, may still have.
    room: u64,
    /// Bytes that may still go into sizes, extensions, trailers and line ends.
    framing: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a body of known length.
    Length,
    /// Before the first digit of a chunk's size.
    Size,
    /// In the digits of a chunk's size.
    Digits,
    /// In a chunk's extensions.
    Extension,
    /// Behind the CR of a chunk's first line.
    SizeEnd,
    /// In a chunk.
    Data,
    /// Behind a chunk.
    DataCr,
    /// Behind a chunk and a CR.
    DataLf,
    /// At the start of a trailer line.
    Trailer,
    /// In a trailer line.
    TrailerLine,
    /// Behind the CR of a trailer line.
    TrailerEnd,
    /// Behind the CR of the last line.
    LastLf,
    Done,
}

/// The shortest framing of a chunk is 5 bytes; this lets even a body in chunks of one byte pass.
const FRAMING_PER_BYTE: u64 = 8;
/// And so much for the last chunk and the trailers.
const FRAMING: u64 = 4 << 10;

impl BodySkip {
    /// The body of a request, of at most `limit` bytes of data.
    pub fn new(kind: BodyKind, limit: u64) -> Self {
        let (state, left) = match kind {
            BodyKind::Empty | BodyKind::Length(0) => (State::Done, 0),
            BodyKind::Length(length) => (State::Length, length),
            BodyKind::Chunked => (State::Size, 0),
        };
        let framing = limit.saturating_mul(FRAMING_PER_BYTE).saturating_add(FRAMING);
        BodySkip { left, room: limit, framing: framing.try_into().unwrap_or(u32::MAX), state }
    }

    /// Takes the next bytes: how many of them belong to the body, and whether it ends there.
    ///
    /// All of them do, unless it ends. Once ended, it takes none.
    ///
    /// # Errors
    /// [`HttpError::BodyTooLarge`] and [`HttpError::Chunk`]; it takes no more after that.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(usize, bool), HttpError> {
        let mut at = 0;
        while self.state != State::Done && at < bytes.len() {
            match self.state {
                State::Length | State::Data => at += self.data(&bytes[at..])?,
                _ => {
                    self.framing = self.framing.checked_sub(1).ok_or(HttpError::BodyTooLarge)?;
                    self.state = self.step(bytes[at])?;
                    at += 1;
                }
            }
        }
        Ok((at, self.state == State::Done))
    }

    fn data(&mut self, bytes: &[u8]) -> Result<usize, HttpError> {
        if self.left > self.room {
            return Err(HttpError::BodyTooLarge); // only a known length can be: it is checked here, once
        }
        let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= taken as u64;
        self.room -= taken as u64;
        if self.left == 0 {
            self.state = if self.state == State::Length { State::Done } else { State::DataCr };
        }
        Ok(taken)
    }

    /// Takes one byte of the framing. A bare LF is a line end here too, as it is in the head.
    ///
    /// RFC 9112 §7.1: `chunked-body = *chunk last-chunk trailer-section CRLF`,
    /// `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF`, `last-chunk = 1*"0" [ chunk-ext ] CRLF`
    fn step(&mut self, byte: u8) -> Result<State, HttpError> {
        let control = byte < 0x20 && byte != b'\t' || byte == 0x7f;
        Ok(match (self.state, byte) {
            (State::Size | State::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                let size = self.left.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                // checked with each digit, so that no size is waited for that is too large already
                self.left = size.filter(|&size| size <= self.room).ok_or(HttpError::BodyTooLarge)?;
                State::Digits
            }
            // blanks behind the size are not in the grammar, but old servers and clients pad it
            (State::Digits, b';' | b' ' | b'\t') => State::Extension,
            (State::Digits | State::Extension, b'\r') => State::SizeEnd,
            (State::Digits | State::Extension | State::SizeEnd, b'\n') if self.left == 0 => State::Trailer,
            (State::Digits | State::Extension | State::SizeEnd, b'\n') => State::Data,
            (State::Extension, _) if !control => State::Extension,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataCr | State::DataLf, b'\n') => State::Size,
            (State::Trailer, b'\r') => State::LastLf,
            (State::Trailer | State::LastLf, b'\n') => State::Done,
            (State::TrailerLine, b'\r') => State::TrailerEnd,
            (State::TrailerLine | State::TrailerEnd, b'\n') => State::Trailer,
            (State::Trailer | State::TrailerLine, _) if !control => State::TrailerLine,
            _ => return Err(HttpError::Chunk),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u64 = 64 << 10;

    fn chunked(bytes: &[u8]) -> Result<(usize, bool), HttpError> {
        BodySkip::new(BodyKind::Chunked, LIMIT).feed(bytes)
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<BodySkip>() <= 24);
    }

    #[test]
    fn no_body_takes_nothing() {
        assert_eq!(BodySkip::new(BodyKind::Empty, LIMIT).feed(b"GET "), Ok((0, true)));
        assert_eq!(BodySkip::new(BodyKind::Length(0), LIMIT).feed(b""), Ok((0, true)));
    }

    #[test]
    fn a_length_is_counted_down_over_parts() {
        let mut body = BodySkip::new(BodyKind::Length(5), LIMIT);
        assert_eq!(body.feed(b"ab"), Ok((2, false)));
        assert_eq!(body.feed(b""), Ok((0, false)));
        assert_eq!(body.feed(b"cdeGET"), Ok((3, true)));
        assert_eq!(body.feed(b"GET"), Ok((0, true)));
    }

    #[test]
    fn lengths_up_to_the_limit() {
        assert_eq!(BodySkip::new(BodyKind::Length(LIMIT), LIMIT).feed(&[0; 70_000]), Ok((1 << 16, true)));
        let beyond = BodySkip::new(BodyKind::Length(LIMIT + 1), LIMIT).feed(b"x");
        assert_eq!(beyond, Err(HttpError::BodyTooLarge));
    }

    #[test]
    fn chunked_bodies() {
        for whole in [
            &b"0\r\n\r\n"[..],
            b"5\r\nhello\r\n0\r\n\r\n",
            b"000005\r\nhello\r\n00\r\n\r\n",
            b"a;name=value;other=\"x y\"\r\n0123456789\r\n0;last\r\n\r\n",
            b"A \r\n0123456789\r\n1\r\nx\r\n0\r\nTrailer: value\r\nAnother: one\r\n\r\n",
            b"5\nhello\n0\nTrailer: value\n\n",
        ] {
            let with_more = [whole, b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(chunked(&with_more), Ok((whole.len(), true)), "{}", whole.escape_ascii());
            for cut in 0..whole.len() {
                let mut body = BodySkip::new(BodyKind::Chunked, LIMIT);
                assert_eq!(body.feed(&whole[..cut]), Ok((cut, false)));
                assert_eq!(body.feed(&with_more[cut..]), Ok((whole.len() - cut, true)));
            }
        }
    }

    #[test]
    fn malformed_chunks() {
        for bad in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"+1\r\n",
            b"0x1\r\n",
            b";\r\n",
            b" 5\r\n",
            b"5\rhello",
            b"5\r\nhello0\r\n",
            b"5\r\nhello\r0",
            b"5;\x00\r\n",
            b"0\r\nTrailer: a\rb",
            b"0\r\nTra\x00iler",
            b"0\r\n\rx",
        ] {
            assert_eq!(chunked(bad), Err(HttpError::Chunk), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn all_that_comes_is_bounded() {
        assert_eq!(chunked(b"10001"), Err(HttpError::BodyTooLarge));
        assert_eq!(chunked(b"ffffffffffffffffffffffff"), Err(HttpError::BodyTooLarge));
        assert!(chunked(b"10000\r\n").is_ok());
        let mut body = BodySkip::new(BodyKind::Chunked, 10);
        assert_eq!(body.feed(b"9\r\n012345678\r\n"), Ok((14, false)));
        assert_eq!(body.feed(b"2"), Err(HttpError::BodyTooLarge));
        assert_eq!(chunked(&[b'0'; 1_000_000]), Err(HttpError::BodyTooLarge));
        let extension = [&b"1;"[..], &[b'x'; 1_000_000]].concat();
        assert_eq!(chunked(&extension), Err(HttpError::BodyTooLarge));
        let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(200_000)].concat();
        assert_eq!(chunked(&trailers), Err(HttpError::BodyTooLarge));
        // at the limit, in the smallest of chunks, a body still passes
        let tiny = [&b"1\r\nx\r\n".repeat(1 << 16)[..], b"0\r\n\r\n"].concat();
        assert_eq!(chunked(&tiny), Ok((tiny.len(), true)));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_parts(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'1'), Just(b'0'), any::<u8>()], 0..60),
            cut in 0..60_usize,
            limit in 0..40_u64,
        ) {
            let whole = BodySkip::new(BodyKind::Chunked, limit).feed(&bytes);
            let first = &bytes[..cut.min(bytes.len())];
            let mut body = BodySkip::new(BodyKind::Chunked, limit);
            let parts = body.feed(first).and_then(|(one, _)| Ok((one, body.feed(&bytes[one..])?)));
            prop_assert_eq!(whole, parts.map(|(one, (two, done))| (one + two, done)));
        }

        #[test]
        fn any_chunks_are_skipped_whole(sizes in proptest::collection::vec(1..500_usize, 0..20), upper: bool) {
            let mut wire = Vec::new();
            for size in sizes {
                let head = if upper { format!("{size:X}\r\n") } else { format!("{size:x};e=1\r\n") };
                wire.extend_from_slice(head.as_bytes());
                wire.resize(wire.len() + size, b'\n');
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(chunked(&wire), Ok((wire.len(), true)));
        }
    }
}
