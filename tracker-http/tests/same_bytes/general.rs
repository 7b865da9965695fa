//! A connection, written for obviousness alone: it keeps all that has come of a request, and looks at all of it again
//! whenever more comes. Heads and bodies are read as text is, answers are put together by `format!` and `bip_bencode`.
//!
//! It shares nothing with the parser and the writer that serve requests, but the core, which draws the peers.

use std::net::IpAddr;

use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

mod body;
mod head;
mod service;

use self::head::{Body, Head};
use crate::world::World;

/// Why nothing, or nothing but a refusal, comes of what has come.
#[derive(Debug)]
enum Stop {
    /// It goes on.
    Partial,
    /// It is no request: the status, and a sentence.
    Refused(u16, &'static str),
}

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 100: the body may come.
    Interim,
    /// To a request.
    Reply,
    /// To what is no request.
    Refusal,
}

pub(crate) struct General<'w> {
    world: &'w World,
    asker: IpAddr,
    rng: Xoshiro256PlusPlus,
    buffer: Vec<u8>,
    /// The head of the request in the buffer is complete, and has been seen.
    is_head_seen: bool,
    is_closed: bool,
}

impl<'w> General<'w> {
    pub(crate) fn new(world: &'w World, asker: IpAddr) -> Self {
        General {
            world,
            asker: asker.to_canonical(),
            rng: Xoshiro256PlusPlus::seed_from_u64(world.setup.seed),
            buffer: Vec::new(),
            is_head_seen: false,
            is_closed: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What goes out when these bytes come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        self.buffer.extend_from_slice(bytes);
        while !self.is_closed {
            match self.request(&mut answers) {
                Ok((head, length)) => {
                    self.buffer.drain(..length);
                    self.is_head_seen = false;
                    let bytes = self.reply(&head);
                    answers.push(Answer { kind: Kind::Reply, bytes });
                }
                Err(Stop::Partial) => break,
                Err(Stop::Refused(status, sentence)) => {
                    self.is_closed = true;
                    let bytes = response(status, "", "close", format!("{sentence}\n").as_bytes(), false);
                    answers.push(Answer { kind: Kind::Refusal, bytes });
                }
            }
        }
        answers
    }

    /// The request at the start of the buffer, and its length with its body.
    fn request(&mut self, answers: &mut Vec<Answer>) -> Result<(Head, usize), Stop> {
        let limits = &self.world.setup.limits();
        let head = head::head(&self.buffer, limits)?;
        let behind = &self.buffer[head.length..];
        // whoever has begun with the body does not wait
        if !self.is_head_seen && head.expects_continue && head.body != Body::Length(0) && behind.is_empty() {
            let bytes = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
            answers.push(Answer { kind: Kind::Interim, bytes });
        }
        self.is_head_seen = true;
        let body = match head.body {
            Body::Length(length) if (behind.len() as u64) < length => return Err(Stop::Partial),
            Body::Length(length) => length as usize,
            Body::Chunked => body::chunked(behind, limits.body)?,
        };
        let length = head.length + body;
        Ok((head, length))
    }

    fn reply(&mut self, head: &Head) -> Vec<u8> {
        let connection = match (head.keep_alive && self.world.setup.keep_alive, head.minor) {
            (false, _) => "close",
            (true, 0) => "keep-alive",
            (true, _) => "",
        };
        self.is_closed = connection == "close";
        let is_head = head.method == "HEAD";
        if !is_head && head.method != "GET" {
            let body = b"only GET and HEAD are served\n";
            return response(405, "Allow: GET, HEAD\r\n", connection, body, false);
        }
        let said = match head.path.as_str() {
            "/announce" => service::announce(self.world, self.asker, &mut self.rng, head),
            "/scrape" => match service::scrape(self.world, head) {
                Some(said) => said,
                None => return self.whole_tracker(head, connection),
            },
            _ => return response(404, "", connection, b"there is nothing here\n", is_head),
        };
        response(200, "", connection, &said, is_head)
    }

    /// A scrape of everything, whose length is not known when it begins.
    fn whole_tracker(&mut self, head: &Head, connection: &str) -> Vec<u8> {
        let body = service::scrape_all(self.world);
        let (coding, body) = if head.minor == 0 {
            self.is_closed = true;
            ("Connection: close\r\n".to_owned(), body)
        } else {
            let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
            (format!("{}Transfer-Encoding: chunked\r\n", connection_line(connection)), chunk)
        };
        let head_text = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{coding}\r\n");
        let body = if head.method == "HEAD" { Vec::new() } else { body };
        [head_text.as_bytes(), &body].concat()
    }
}

fn connection_line(connection: &str) -> String {
    if connection.is_empty() { String::new() } else { format!("Connection: {connection}\r\n") }
}

/// An answer of text; without the text to HEAD.
fn response(status: u16, extra: &str, connection: &str, body: &[u8], is_head: bool) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => panic!("{status} is never answered"),
    };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\n{extra}{}Content-Length: {}\r\n\r\n",
        connection_line(connection),
        body.len()
    );
    [head.as_bytes(), if is_head { b"" } else { body }].concat()
}
