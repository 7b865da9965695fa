//! A client that says what it is told to, and reads answers strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

use bip_bencode::{BDecodeOpt, BRefAccess, BencodeRef};
use socket2::{Domain, Socket, Type};

use crate::program::PATIENCE;

pub(crate) struct Client {
    stream: TcpStream,
    /// Read, and not yet looked at.
    ahead: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What an announce was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) complete: i64,
    pub(crate) incomplete: i64,
    /// The ports of the peers in `peers`, ascending.
    pub(crate) ports: Vec<u16>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Whether these bytes are in the body.
    pub(crate) fn text_contains(&self, part: &str) -> bool {
        self.body.windows(part.len()).any(|window| window == part.as_bytes())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!((self.status, self.field("content-type")), (200, Some("application/json")));
        serde_json::from_slice(&self.body).unwrap()
    }

    fn bencode(&self) -> BencodeRef<'_> {
        assert_eq!(self.status, 200);
        BencodeRef::decode(&self.body, BDecodeOpt::default()).unwrap()
    }

    /// `failure reason` and `retry in`, of a refused announce.
    #[track_caller]
    pub(crate) fn failure(&self) -> (String, String) {
        let answer = self.bencode();
        let dict = answer.dict().unwrap();
        let text = |key: &str| dict.lookup(key.as_bytes()).and_then(|value| value.str()).unwrap().to_owned();
        (text("failure reason"), text("retry in"))
    }

    #[track_caller]
    pub(crate) fn told(&self) -> Told {
        let answer = self.bencode();
        let dict = answer.dict().unwrap();
        let value = |key: &str| {
            dict.lookup(key.as_bytes()).unwrap_or_else(|| panic!("no {key}: {}", self.body.escape_ascii()))
        };
        let peers = value("peers").bytes().unwrap();
        let mut ports: Vec<_> =
            peers.chunks_exact(6).map(|peer| u16::from_be_bytes([peer[4], peer[5]])).collect();
        ports.sort_unstable();
        let number = |key| value(key).int().unwrap();
        Told { complete: number("complete"), incomplete: number("incomplete"), ports }
    }

    /// `complete`, `downloaded` and `incomplete` of the one torrent that was scraped.
    #[track_caller]
    pub(crate) fn scraped(&self) -> [i64; 3] {
        let answer = self.bencode();
        let files = answer.dict().unwrap().lookup(b"files").unwrap().dict().unwrap();
        let files = files.to_list();
        assert_eq!(files.len(), 1);
        let file = files[0].1.dict().unwrap();
        ["complete", "downloaded", "incomplete"]
            .map(|key| file.lookup(key.as_bytes()).unwrap().int().unwrap())
    }
}

/// The info hash whose bytes all are `byte`, as in a list.
pub(crate) fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(20)
}

fn escaped(byte: u8) -> String {
    format!("%{byte:02x}").repeat(20)
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n")
}

/// An announce of torrent [`hex`]`(byte)` by a peer of that port.
pub(crate) fn announce(byte: u8, port: u16, more: &str) -> String {
    get(&format!("/announce?info_hash={}&peer_id=-XX0001-abcdefghijkl&port={port}{more}", escaped(byte)))
}

pub(crate) fn scrape(byte: u8) -> String {
    get(&format!("/scrape?info_hash={}", escaped(byte)))
}

impl Client {
    pub(crate) fn new(server: SocketAddr) -> Client {
        Client::over(TcpStream::connect(server).unwrap())
    }

    /// Connects from an address of its own choice.
    pub(crate) fn from(ip: IpAddr, server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(ip, 0).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::over(socket.into())
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// `None` where nobody listens.
    pub(crate) fn try_new(server: SocketAddr) -> Option<Client> {
        TcpStream::connect(server).ok().map(Client::over)
    }

    /// Connects with a receive buffer as small as the system has them, so that a server that is not read from is soon
    /// stuck.
    pub(crate) fn narrow(server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::over(socket.into())
    }

    fn over(stream: TcpStream) -> Client {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream, ahead: Vec::new() }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends, and reads one answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).answer()
    }

    /// Sends, and reads one answer, unless the server closes first.
    pub(crate) fn try_ask(&mut self, bytes: impl AsRef<[u8]>) -> Option<Answer> {
        self.stream.write_all(bytes.as_ref()).ok()?;
        (self.stream.peek(&mut [0]).ok()? > 0).then(|| self.answer())
    }

    /// Announces, and is told of others.
    #[track_caller]
    pub(crate) fn announce(&mut self, byte: u8, port: u16, more: &str) -> Told {
        self.ask(announce(byte, port, more)).told()
    }

    /// `complete`, `downloaded` and `incomplete` of a torrent.
    #[track_caller]
    pub(crate) fn scrape(&mut self, byte: u8) -> [i64; 3] {
        self.ask(scrape(byte)).scraped()
    }

    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.field("content-length").expect("a length").parse().unwrap();
        while self.ahead.len() < length {
            assert!(self.more(), "closed amid an answer");
        }
        answer.body = self.ahead.drain(..length).collect();
        answer
    }

    /// An answer without its body, as to HEAD.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Answer {
        let end = loop {
            match self.ahead.windows(4).position(|end| end == b"\r\n\r\n") {
                Some(end) => break end,
                None => assert!(self.more(), "closed within {:?}", self.ahead.escape_ascii().to_string()),
            }
        };
        let head: Vec<u8> = self.ahead.drain(..end + 4).collect();
        let head = std::str::from_utf8(&head[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let fields = lines.map(|line| line.split_once(": ").unwrap());
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Answer { status, fields, body: Vec::new() }
    }

    /// The server has closed, in whatever way, and said nothing more.
    #[track_caller]
    pub(crate) fn is_gone(&mut self) {
        assert!(!self.more(), "it said {}", self.ahead.escape_ascii());
    }

    /// Reads what is there; false at the end.
    #[track_caller]
    fn more(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let read = loop {
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(read) => {
                self.ahead.extend_from_slice(&buffer[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error} after {:?}", self.ahead.escape_ascii().to_string()),
        }
    }
}
