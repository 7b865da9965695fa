//! What serving costs in memory, counted by an allocator around the system's. A binary and a test of its own, since the count is
//! one of the whole process: while it runs, only the server and a client that allocates nothing do anything.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::alloc::System;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use socket2::{Domain, Socket, Type};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tracker_core::{Config, Tracker};
use tracker_http::parser::Request;
use tracker_http::{
    Access, Certificate, Clock, Context, Reply, Rules, Server, Service, Settings, Tls, TrackerService,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All connections that the server may have.
const CONNECTIONS: usize = 4000;
/// What a server without connections takes, at the least: a worker's buffers, one of which is for TLS.
const FIXED: usize = 160 << 10;
const PATIENCE: Duration = Duration::from_secs(20);

/// A page that is shared.
struct Page(Arc<[u8]>);

impl Service for Page {
    fn call(&self, request: &Request<'_>, _: IpAddr, _: &mut Context, reply: &mut Reply<'_>) {
        if request.path == b"/page" {
            reply.share(200, "text/html", &[], Arc::clone(&self.0));
        }
    }
}

/// An announce; all of one number are the same.
fn announce(torrent: usize, port: usize, more: &str) -> Vec<u8> {
    format!(
        "GET /announce?info_hash=-a-torrent-%00%ff-{torrent:06}&peer_id=-TT0001-{port:012}&port={port}&uploaded=0&downloaded=0&left={}&{more} \
         HTTP/1.1\r\nHost: tracker.example:6969\r\nUser-Agent: test/1.0\r\nAccept-Encoding: gzip\r\n",
        port % 3
    )
    .into_bytes()
}

/// Sends a request and reads its one answer, without an allocation. Returns its length.
fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8], is_last: bool) -> usize {
    stream.write_all(request).unwrap();
    let mut read = 0;
    loop {
        let more = stream.read(&mut buffer[read..]).unwrap();
        read += more;
        if more == 0 || !is_last && is_whole(&buffer[..read]) {
            assert!(
                buffer[..read].windows(7).any(|at| at == b"5:peers"),
                "{}",
                buffer[..read].escape_ascii()
            );
            return read;
        }
    }
}

/// Whether the body is as long as the header says.
fn is_whole(answer: &[u8]) -> bool {
    let find = |what: &[u8]| answer.windows(what.len()).position(|at| at == what).map(|at| at + what.len());
    let (Some(length), Some(body)) = (find(b"Content-Length: "), find(b"\r\n\r\n")) else { return false };
    let digits = answer[length..].iter().take_while(|b| b.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    answer.len() >= body + length
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// How many heap operations happen in `work`: new blocks and moved ones.
fn operations(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}

/// Nothing is kept of connections from before.
fn all_are_gone(server: &Server) {
    let begin = Instant::now();
    while server.handle().counters().open_connections() > 0 {
        assert!(begin.elapsed() < PATIENCE, "connections that stay");
        std::thread::yield_now();
    }
}

/// Bytes on the heap now.
fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn allocates_nothing(addr: SocketAddr) {
    const TORRENTS: usize = 20;
    const PEERS: usize = 100;
    let mut buffer = vec![0; 1 << 20];
    let kinds = [
        "numwant=50&compact=1",
        "numwant=200&compact=0&event=started",
        "event=paused",
        "compact=0&no_peer_id=1",
        "event=completed",
    ];
    let all = |end: &str| -> Vec<Vec<u8>> {
        let request = |n: usize| {
            let kind = kinds[n % kinds.len()];
            [announce(n % TORRENTS, 1 + n / TORRENTS % PEERS, kind), end.as_bytes().to_vec()].concat()
        };
        (0..TORRENTS * PEERS).map(request).collect()
    };
    let keep = all("\r\n");
    let close = all("Connection: close\r\n\r\n");
    let mut kept = connect(addr);
    // eight at once, and cut in the middle of one
    let pipelines: Vec<Vec<u8>> = keep.chunks(8).map(<[_]>::concat).collect();
    let mut work = |rounds: usize| {
        for _ in 0..rounds {
            for request in &keep {
                ask(&mut kept, request, &mut buffer, false);
            }
            for request in close.iter().step_by(7) {
                ask(&mut connect(addr), request, &mut buffer, true);
            }
        }
    };
    work(2);
    let found = operations(|| work(2));
    assert_eq!(found, 0, "heap operations in {} announces", 2 * (keep.len() + close.len() / 7));

    let mut pipeline = || {
        for batch in &pipelines {
            kept.write_all(batch).unwrap();
            let mut left = 8;
            let mut read = 0;
            while left > 0 {
                read += kept.read(&mut buffer[read..]).unwrap();
                left = 8 - buffer[..read].windows(12).filter(|at| at == b"HTTP/1.1 200").count();
            }
            // the rest of the last one
            while !is_whole(&buffer[last_answer(&buffer[..read])..read]) {
                read += kept.read(&mut buffer[read..]).unwrap();
            }
        }
    };
    pipeline();
    let found = operations(&mut pipeline);
    assert_eq!(found, 0, "heap operations in {} pipelines of eight", pipelines.len());
}

fn last_answer(bytes: &[u8]) -> usize {
    bytes.windows(12).rposition(|at| at == b"HTTP/1.1 200").unwrap()
}

/// Idle connections hold some hundred bytes each, and no buffer.
fn idle_connections_are_small(addr: SocketAddr, server: &Server, before: usize) {
    let request = [announce(1, 1, "numwant=200"), b"\r\n".to_vec()].concat();
    let mut buffer = vec![0; 1 << 16];
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut client = connect(addr);
        ask(&mut client, &request, &mut buffer, false);
        clients.push(client);
    }
    assert_eq!(server.handle().counters().open_connections(), CONNECTIONS);
    let each = (in_use() - before - FIXED) / CONNECTIONS;
    assert!((100..500).contains(&each), "an idle connection takes {each} bytes");
}

/// Over TLS it is some kilobytes, most of which are rustls's buffer for what comes next. Of the clients only the sockets are left
/// when it is counted.
fn idle_secure_connections_are_bounded(addr: SocketAddr, config: &Arc<ClientConfig>) {
    const COUNT: usize = 200;
    let request = [announce(1, 1, "numwant=200"), b"\r\n".to_vec()].concat();
    let mut clients = Vec::with_capacity(COUNT);
    let before = in_use();
    for _ in 0..COUNT {
        let mut stream = connect(addr);
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut both = rustls::Stream::new(&mut tls, &mut stream);
        both.write_all(&request).unwrap();
        let mut buffer = [0; 4096];
        let mut read = 0;
        while !is_whole(&buffer[..read]) {
            read += both.read(&mut buffer[read..]).unwrap();
        }
        clients.push(stream);
    }
    let each = in_use().saturating_sub(before) / COUNT;
    println!("an idle connection over TLS takes {each} bytes");
    assert!((1 << 10..12 << 10).contains(&each), "an idle connection over TLS takes {each} bytes");
}

/// A client that does not read makes the server keep a bounded amount of ciphertext.
fn stalled_secure_readers_are_bounded(addr: SocketAddr, config: &Arc<ClientConfig>) {
    const COUNT: usize = 6;
    let batch = [announce(1, 1, "numwant=200&compact=0"), b"\r\n".to_vec()].concat().repeat(50);
    let mut clients = Vec::with_capacity(COUNT);
    let before = in_use();
    for _ in 0..COUNT {
        let mut stream = connect(addr);
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).unwrap();
        }
        stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut sent = 0;
        let refused = loop {
            assert!(
                sent < 100 << 20,
                "a hundred megabytes of requests were taken of a client that reads nothing"
            );
            sent += tls.writer().write(&batch).unwrap();
            if let Err(error) = tls.write_tls(&mut stream) {
                break error;
            }
        };
        assert!(matches!(refused.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{refused}");
        clients.push(stream);
    }
    let each = in_use().saturating_sub(before) / COUNT;
    println!("a stalled reader over TLS takes {each} bytes");
    assert!(each < 500 << 10, "a stalled reader over TLS takes {each} bytes");
}

/// Whoever asks for a shared body and reads nothing makes the server keep a reference to it.
fn shared_bodies_are_not_copied(addr: SocketAddr, page: &Arc<[u8]>) {
    const COUNT: usize = 200;
    let free = Arc::strong_count(page);
    let wait_for = |count: usize| {
        let begin = Instant::now();
        while Arc::strong_count(page) != count {
            assert!(begin.elapsed() < PATIENCE, "{} references, not {count}", Arc::strong_count(page));
            std::thread::yield_now();
        }
    };
    let mut clients = Vec::with_capacity(COUNT);
    let before = in_use();
    for _ in 0..COUNT {
        // so small that the kernel takes far less for the connection than the page has
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.set_tcp_mss(1460).unwrap();
        socket.connect(&addr.into()).unwrap();
        let mut client = TcpStream::from(socket);
        client.write_all(b"GET /page HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
        clients.push(client);
    }
    wait_for(free + COUNT);
    let each = in_use().saturating_sub(before) / COUNT;
    assert!(each < 1 << 10, "a reader of a shared body takes {each} bytes");
    drop(clients);
    wait_for(free);
}

/// Whoever reads nothing makes the server keep a bounded amount of answers, however much is asked for.
fn stalled_readers_are_bounded(addr: SocketAddr) {
    const COUNT: usize = 6;
    let batch = [announce(1, 1, "numwant=200&compact=0"), b"\r\n".to_vec()].concat().repeat(200);
    let mut clients: Vec<TcpStream> = (0..COUNT).map(|_| connect(addr)).collect();
    let before = in_use();
    for client in &mut clients {
        client.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        // until neither side takes any more: requests of some 40 kB for answers of some 1.5 MB
        let mut sent = 0;
        while sent < 100 << 20 {
            match client.write(&batch) {
                Ok(written) => sent += written,
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                    break;
                }
            }
        }
        assert!(
            sent < 100 << 20,
            "a hundred megabytes of requests were taken of a client that reads nothing"
        );
    }
    let each = in_use().saturating_sub(before) / COUNT;
    assert!(each < 400 << 10, "a stalled reader takes {each} bytes");
}

#[test]
fn serving_allocates_nothing_per_announce_and_keeps_little() {
    let tracker = Tracker::new(Config::default());
    let access = Access::default();
    let settings = Settings {
        request_timeout: Duration::from_secs(60),
        max_connections: CONNECTIONS,
        ..Settings::default()
    };
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::new(Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap()).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind_tls(&[any], &[any], &tls, settings, Clock::start()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let page: Arc<[u8]> = vec![b'x'; 1_000_000].into();
    let service = TrackerService::new(&tracker, Rules::default(), &access).beside(Page(Arc::clone(&page)));
    let addr = server.addrs()[0];
    let before = in_use();
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(&service));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            allocates_nothing(addr);
            idle_connections_are_small(addr, &server, before);
            all_are_gone(&server);
            shared_bodies_are_not_copied(addr, &page);
            stalled_readers_are_bounded(addr);
            all_are_gone(&server);
            idle_secure_connections_are_bounded(server.secure_addrs()[0], &config);
            all_are_gone(&server);
            stalled_secure_readers_are_bounded(server.secure_addrs()[0], &config);
        }));
        server.handle().stop();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}
