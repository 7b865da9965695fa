//! The header lines: their form, and what the few that matter say.

use super::BodyKind;
use super::grammar::{self, is_tchar, trim};
use crate::error::HttpError;
use crate::lanes;

/// What the header lines seen so far say; every other header is checked and passed over.
#[derive(Debug, Default)]
pub(super) struct Fields {
    hosts: u8, // saturates at 2, for "several"
    length: Option<u64>,
    coding: Coding,
    close: bool,
    keep_alive: bool,
    expect: bool,
}

#[derive(Debug, Default, PartialEq)]
enum Coding {
    #[default]
    None,
    Chunked,
    Other,
}

impl Fields {
    /// Takes one line, without its line end. There are no control bytes in it.
    ///
    /// RFC 9112 §5: `field-line = field-name ":" OWS field-value OWS`, `field-name = 1*tchar`
    #[inline]
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), HttpError> {
        let (name, value) = split(line)?;
        // the length alone tells most headers apart
        match name.len() {
            4 if is(name, b"host") => self.hosts = 2.min(self.hosts + 1),
            6 if is(name, b"expect") => self.expect |= trim(value).eq_ignore_ascii_case(b"100-continue"),
            10 if is(name, b"connection") => self.connection(trim(value)),
            14 if is(name, b"content-length") => {
                if self.length.is_some() {
                    return Err(HttpError::ContentLength);
                }
                self.length = Some(decimal(trim(value)).ok_or(HttpError::ContentLength)?);
            }
            17 if is(name, b"transfer-encoding") => {
                let single = self.coding == Coding::None && trim(value).eq_ignore_ascii_case(b"chunked");
                self.coding = if single { Coding::Chunked } else { Coding::Other };
            }
            _ => {}
        }
        Ok(())
    }

    /// RFC 9110 §7.6.1: `Connection = #connection-option`
    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&b| b == b',').map(trim) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Whether the connection may stay open after a request of HTTP/1.`minor` (RFC 9112 §9.3).
    pub(super) fn keep_alive(&self, minor: u8) -> bool {
        !self.close && (self.keep_alive || minor > 0)
    }

    /// Whether the client waits for `100 Continue` before it sends a body (RFC 9110 §10.1.1).
    pub(super) fn expect_continue(&self, minor: u8) -> bool {
        self.expect && minor > 0
    }

    /// How the body is delimited (RFC 9112 §6.3), once all lines are in.
    pub(super) fn body(&self, minor: u8, limit: u64) -> Result<BodyKind, HttpError> {
        if self.hosts > 1 || self.hosts == 0 && minor > 0 {
            return Err(HttpError::Host);
        }
        match (&self.coding, self.length) {
            (Coding::None, None | Some(0)) => Ok(BodyKind::Empty),
            (Coding::None, Some(length)) if length > limit => Err(HttpError::BodyTooLarge),
            (Coding::None, Some(length)) => Ok(BodyKind::Length(length)),
            (_, Some(_)) => Err(HttpError::AmbiguousLength),
            (_, None) if minor == 0 => Err(HttpError::AmbiguousLength),
            (Coding::Chunked, None) => Ok(BodyKind::Chunked),
            (Coding::Other, None) => Err(HttpError::TransferEncoding),
        }
    }
}

/// The name and the raw value of a header line. No blank before the colon, no folding.
#[inline]
pub(super) fn split(line: &[u8]) -> Result<(&[u8], &[u8]), HttpError> {
    // nearly all names are of letters and hyphens, and short
    let usual = line.first_chunk().map(|start| lanes::first(start, grammar::is_unusual));
    let colon = match usual {
        Some(end) if line.get(end) == Some(&b':') => end,
        _ => line.iter().position(|&b| !is_tchar(b)).ok_or(HttpError::FieldName)?,
    };
    match &line[colon..] {
        [b':', value @ ..] if colon > 0 => Ok((&line[..colon], value)),
        _ => Err(HttpError::FieldName),
    }
}

/// Equal in any case; `lower` is in lower case.
fn is(name: &[u8], lower: &[u8]) -> bool {
    name[0] | 0x20 == lower[0] && name.eq_ignore_ascii_case(lower)
}

/// RFC 9110 §8.6: `Content-Length = 1*DIGIT`
fn decimal(digits: &[u8]) -> Option<u64> {
    let first = (!digits.is_empty()).then_some(0_u64);
    digits.iter().fold(first, |number, &b| {
        let digit = b.is_ascii_digit().then(|| u64::from(b - b'0'))?;
        number?.checked_mul(10)?.checked_add(digit)
    })
}
