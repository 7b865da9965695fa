//! A chunked body, byte by byte from its beginning, by RFC 9112 §7.1.

use super::Stop;
use super::head::BODY_TOO_LARGE;

const CHUNK: Stop = Stop::Refused(400, "the chunked request body is malformed");

/// What has not been read, and how many bytes of it may be something else than data.
struct Reader<'a> {
    rest: &'a [u8],
    framing: u64,
}

/// How many bytes the body takes, if at most `limit` of them are data.
pub(super) fn chunked(bytes: &[u8], limit: u64) -> Result<usize, Stop> {
    let mut reader = Reader { rest: bytes, framing: 8 * limit + 4096 };
    let mut room = limit;
    loop {
        let size = reader.size(room)?;
        if size == 0 {
            break;
        }
        reader.rest = reader.rest.get(size as usize..).ok_or(Stop::Partial)?;
        room -= size;
        match reader.byte()? {
            b'\n' => {}
            b'\r' => reader.line_feed()?,
            _ => return Err(CHUNK),
        }
    }
    while reader.line(Vec::new())? > 0 {} // the trailers
    Ok(bytes.len() - reader.rest.len())
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let (&byte, rest) = self.rest.split_first().ok_or(Stop::Partial)?;
        self.framing = self.framing.checked_sub(1).ok_or(BODY_TOO_LARGE)?;
        self.rest = rest;
        Ok(byte)
    }

    fn line_feed(&mut self) -> Result<(), Stop> {
        if self.byte()? == b'\n' { Ok(()) } else { Err(CHUNK) }
    }

    /// The line that a chunk begins with: its size, and extensions perhaps.
    fn size(&mut self, room: u64) -> Result<u64, Stop> {
        let mut size = 0;
        for digits in 0.. {
            let byte = self.byte()?;
            if let Some(digit) = char::from(byte).to_digit(16) {
                size = size * 16 + u64::from(digit);
                if size > room {
                    return Err(BODY_TOO_LARGE);
                }
                continue;
            }
            match byte {
                _ if digits == 0 => return Err(CHUNK),
                b'\n' => {}
                b'\r' => self.line_feed()?,
                b';' | b' ' | b'\t' => {
                    self.line(vec![byte])?;
                }
                _ => return Err(CHUNK),
            }
            break;
        }
        Ok(size)
    }

    /// The length of a line that began with these bytes, without its end.
    fn line(&mut self, mut line: Vec<u8>) -> Result<usize, Stop> {
        loop {
            match self.byte()? {
                b'\n' => return Ok(line.len()),
                b'\r' => return self.line_feed().map(|()| line.len()),
                byte if byte < b' ' && byte != b'\t' || byte == 0x7f => return Err(CHUNK),
                byte => line.push(byte),
            }
        }
    }
}
