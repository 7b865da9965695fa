//! A client that says exactly what it is told to, and reads answers strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection};
use socket2::{Domain, Socket, Type};

use crate::bencode::Value;
use crate::pki;

/// What should happen has happened by then, however slow the machine: nothing waits for as long unless the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) tls: Option<Box<ClientConnection>>,
    /// Read, and not yet looked at.
    ahead: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header, which must not be there twice.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let first = found.next();
        assert!(found.next().is_none(), "{name} stands twice in {self:?}");
        first.map(|(_, value)| value.as_str())
    }

    /// Whether it says that the connection ends.
    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }

    /// The body of an answer of the tracker.
    #[track_caller]
    pub(crate) fn bencode(&self) -> Value {
        assert_eq!((self.status, self.field("content-type")), (200, Some("text/plain")), "{self:?}");
        Value::of(&self.body)
    }
}

impl Client {
    pub(crate) fn new(server: SocketAddr) -> Client {
        let stream = TcpStream::connect(server).unwrap();
        Client::over(stream)
    }

    /// Connects from an address of its own choice.
    pub(crate) fn from(ip: &str, server: SocketAddr) -> Client {
        let ip: IpAddr = ip.parse().unwrap();
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(ip, 0).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::over(socket.into())
    }

    /// Connects with a receive buffer as small as the system has them, so that a server that is not read from is soon stuck.
    pub(crate) fn narrow(server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::over(socket.into())
    }

    /// As narrow, and with segments as on an Ethernet: otherwise the kernel takes megabytes for a connection to itself.
    pub(crate) fn thin(server: SocketAddr) -> Client {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_tcp_mss(1460).unwrap();
        socket.connect(&server.into()).unwrap();
        Client::over(socket.into())
    }

    pub(crate) fn over(stream: TcpStream) -> Client {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let tls = crate::IS_SECURE.then(|| Box::new(pki::connection(&pki::client())));
        Client { stream, tls, ahead: Vec::new() }
    }

    /// Speaks TLS as `config` has it, from the first byte that is sent on.
    pub(crate) fn secure(server: SocketAddr, config: &Arc<ClientConfig>) -> Client {
        let mut client = Client::new(server);
        client.tls = Some(Box::new(pki::connection(config)));
        client
    }

    /// Shakes hands, and returns what came of it.
    pub(crate) fn shake_hands(&mut self) -> std::io::Result<()> {
        let tls = self.tls.as_mut().expect("a client that speaks TLS");
        while tls.is_handshaking() || tls.wants_write() {
            tls.complete_io(&mut self.stream)?;
        }
        Ok(())
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).unwrap();
        self
    }

    /// Sends what may be refused by a server that has closed.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        if self.tls.is_none() {
            return self.stream.write_all(bytes.as_ref());
        }
        self.shake_hands()?;
        let tls = self.tls.as_mut().expect("a client that speaks TLS");
        for part in bytes.as_ref().chunks(16 << 10) {
            tls.writer().write_all(part)?;
            while tls.wants_write() {
                tls.write_tls(&mut self.stream)?;
            }
        }
        Ok(())
    }

    /// Sends, and reads one answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).answer()
    }

    /// Sends, and decodes the answer of the tracker.
    #[track_caller]
    pub(crate) fn tell(&mut self, bytes: impl AsRef<[u8]>) -> Value {
        self.ask(bytes).bencode()
    }

    /// Closes the sending side.
    pub(crate) fn half_close(&mut self) -> &mut Self {
        if let Some(tls) = &mut self.tls {
            // it takes longer, so that a server may have given up before
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.stream);
            let _ = self.stream.shutdown(Shutdown::Write);
            return self;
        }
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }

    /// Closes by a reset.
    pub(crate) fn reset(self) {
        let socket = Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        self.read_answer(true)
    }

    /// Reads the answer to HEAD.
    #[track_caller]
    pub(crate) fn answer_to_head(&mut self) -> Answer {
        self.read_answer(false)
    }

    #[track_caller]
    fn read_answer(&mut self, has_body: bool) -> Answer {
        let line = self.line();
        let mut words = line.splitn(3, ' ');
        assert_eq!(words.next(), Some("HTTP/1.1"), "{line:?}");
        let status: u16 =
            words.next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
        assert!(words.next().is_some_and(|reason| !reason.is_empty()), "{line:?}");
        let mut fields = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            fields.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer { status, fields, body: Vec::new() };
        if !has_body || status == 100 {
            return answer;
        }
        answer.body = match (answer.field("content-length"), answer.field("transfer-encoding")) {
            (Some(length), None) => self.bytes(length.parse().unwrap()),
            (None, Some("chunked")) => self.chunks(),
            (None, None) => self.rest(),
            both => panic!("{both:?}"),
        };
        answer
    }

    #[track_caller]
    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            let size = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("{line:?}"));
            body.extend(self.bytes(size));
            assert_eq!(self.line(), "");
            if size == 0 {
                return body;
            }
        }
    }

    /// A line without its CRLF.
    #[track_caller]
    fn line(&mut self) -> String {
        let end = loop {
            match self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                Some(end) => break end,
                None => assert!(self.more(), "closed within {:?}", self.ahead.escape_ascii().to_string()),
            }
        };
        let line: Vec<u8> = self.ahead.drain(..end + 2).collect();
        String::from_utf8(line[..end].to_vec()).unwrap()
    }

    #[track_caller]
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        self.fill(count);
        self.ahead.drain(..count).collect()
    }

    /// Reads until so many bytes are there, and leaves them there.
    #[track_caller]
    pub(crate) fn fill(&mut self, count: usize) {
        while self.ahead.len() < count {
            assert!(self.more(), "closed after {} of {count} bytes", self.ahead.len());
        }
    }

    /// Everything until the server closes, which it must do properly.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.ahead)
    }

    /// The server has closed, and said nothing more.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{}", rest.escape_ascii());
    }

    /// The server has closed or reset the connection, and said nothing more.
    #[track_caller]
    pub(crate) fn is_gone(&mut self) {
        assert!(self.ahead.is_empty());
        match self.read(&mut [0; 64]) {
            Ok(0) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Reads what is there. An end that TLS does not tell of is an error.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.stream).read(buffer),
        }
    }

    /// Everything until the server closes, which it says in no way that could be taken for the end of an answer.
    #[track_caller]
    pub(crate) fn cut(&mut self) -> Vec<u8> {
        let mut buffer = [0; 64 << 10];
        loop {
            match self.read(&mut buffer) {
                Ok(0) if self.tls.is_none() => return std::mem::take(&mut self.ahead),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return std::mem::take(&mut self.ahead);
                }
                Ok(read) if read > 0 => self.ahead.extend_from_slice(&buffer[..read]),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads what is there; false at the end.
    #[track_caller]
    pub(crate) fn more(&mut self) -> bool {
        let mut buffer = [0; 64 << 10];
        match self.read(&mut buffer) {
            Ok(read) => {
                self.ahead.extend_from_slice(&buffer[..read]);
                read > 0
            }
            Err(error) => {
                let (begin, length) = (&self.ahead[..self.ahead.len().min(1000)], self.ahead.len());
                panic!("{error} after {length} bytes: {}", begin.escape_ascii());
            }
        }
    }

    /// Reads a hundred times so many bytes at the most, and leaves them there.
    #[track_caller]
    pub(crate) fn slowly(&mut self, piece: usize) {
        let mut buffer = vec![0; piece];
        for _ in 0..100 {
            let read = self.stream.read(&mut buffer).unwrap();
            self.ahead.extend_from_slice(&buffer[..read]);
        }
    }

    /// How many bytes have been sent that the other side has not taken over, by the kernel's own account.
    pub(crate) fn unsent(&self) -> u64 {
        // by both ends: others, some of them closed, have the same port towards other servers
        let ends = [self.local(), self.stream.peer_addr().unwrap()].map(in_table);
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let line = table.lines().find(|line| line.split_whitespace().skip(1).take(2).eq(&ends));
        let queue = line.and_then(|line| line.split_whitespace().nth(4)).unwrap();
        u64::from_str_radix(queue.split(':').next().unwrap(), 16).unwrap()
    }
}

/// An IPv4 address as Linux has it in its table of connections.
fn in_table(addr: SocketAddr) -> String {
    match addr.ip() {
        IpAddr::V4(ip) => format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), addr.port()),
        IpAddr::V6(ip) => panic!("{ip} is in another table"),
    }
}
