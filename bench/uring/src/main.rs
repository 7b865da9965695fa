//! The physical limit of an HTTP tracker over `io_uring`, as `bench/nullserver.c` is over epoll: accept, receive, look
//! for CRLFCRLF, send a fixed answer. It parses nothing and has no timeouts; whoever does not take the answer is not waited for.

mod ring;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Parser;
use ring::{Done, Ring, Setup};
use socket2::{Domain, Protocol, Socket, Type};

/// Answers to as many requests leave at once.
const BATCH: usize = 128;

/// A null server over io_uring
#[derive(Parser, Debug)]
struct Arguments {
    /// Port on 127.0.0.1; 0: the kernel's choice
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Every connection ends after its answer
    #[arg(long)]
    close: bool,
    /// Peers in the answer
    #[arg(long, default_value_t = 50)]
    peers: usize,
    /// Ordinary descriptors in place of direct ones
    #[arg(long)]
    plain: bool,
    /// A receive for each read in place of one for the whole connection
    #[arg(long)]
    single: bool,
    /// Wait for an event before the first try to receive
    #[arg(long)]
    poll_first: bool,
    /// A completion for each send and close too
    #[arg(long)]
    completions: bool,
    /// A close waits for the send before it
    #[arg(long)]
    link: bool,
    /// A kernel thread takes what is submitted
    #[arg(long)]
    sqpoll: bool,
    /// Buffers that wait for what is received (a power of two)
    #[arg(long, default_value_t = 128)]
    buffers: u16,
    /// Bytes of each of them
    #[arg(long, default_value_t = 4096)]
    buffer_size: usize,
    /// Wait for as many completions, or for `--wait-us`
    #[arg(long, default_value_t = 1)]
    wait: usize,
    /// Longest wait where there are some, but fewer than `--wait`
    #[arg(long, default_value_t = 50)]
    wait_us: u32,
    /// A second thread that sleeps, so that descriptors are shared as they are in the tracker
    #[arg(long)]
    thread: bool,
    /// Leave TCP_DEFER_ACCEPT alone, which is set with `--close`
    #[arg(long)]
    no_defer: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.thread {
        std::thread::spawn(|| std::thread::sleep(Duration::from_secs(u64::MAX)));
    }
    let listener = listen(&arguments)?;
    let port = listener.local_addr()?.as_socket().map_or(0, |address| address.port());
    let (answers, length) = answers(arguments.peers, arguments.close);
    let mut ring = Ring::new(&Setup {
        direct: !arguments.plain,
        sqpoll: arguments.sqpoll,
        link: arguments.link,
        completions: arguments.completions,
        poll_first: arguments.poll_first,
        buffers: arguments.buffers,
        buffer_size: arguments.buffer_size,
    })?;
    eprintln!("listening on http://127.0.0.1:{port}");
    ring.accept(&listener)?;
    let multishot = !arguments.single && !arguments.close;
    let mut progress = vec![0_u8; 65536];
    loop {
        ring.submit_and_wait(arguments.wait, Duration::from_micros(arguments.wait_us.into()))?;
        while let Some(done) = ring.next_done() {
            match done {
                Done::AcceptEnded => ring.accept(&listener)?,
                Done::Accepted(slot) => {
                    progress[slot as usize] = 0;
                    ring.receive(slot, multishot)?;
                }
                Done::Received { slot, bytes, more } => {
                    let requests = terminators(bytes, &mut progress[slot as usize]);
                    if arguments.close && requests > 0 {
                        ring.send_and_close(slot, &answers[..length])?;
                        continue;
                    }
                    let mut left = requests;
                    while left > 0 {
                        let now = left.min(BATCH);
                        ring.send(slot, &answers[..now * length])?;
                        left -= now;
                    }
                    if !more {
                        ring.receive(slot, multishot)?;
                    }
                }
                Done::NoBuffer(slot) => ring.receive(slot, multishot)?,
                Done::Ended(slot) => ring.close(slot)?,
            }
        }
    }
}

fn listen(arguments: &Arguments) -> io::Result<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    listener.set_reuse_address(true)?;
    if arguments.close && !arguments.no_defer {
        ring::defer_accept(&listener)?;
    }
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)).into())?;
    listener.listen(4096)?;
    listener.set_tcp_nodelay(true)?; // accepted sockets inherit it
    Ok(listener)
}

/// The answer `BATCH` times, for the life of the program, and the length of one.
fn answers(peers: usize, close: bool) -> (&'static [u8], usize) {
    let mut body = format!("d8:intervali1800e5:peers{}:", peers * 6).into_bytes();
    body.extend((0..peers * 6).map(|i| (i * 151 + 7) as u8));
    body.push(b'e');
    let close = if close { "Connection: close\r\n" } else { "" };
    let mut one = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n{close}\r\n",
        body.len()
    )
    .into_bytes();
    one.extend(body);
    (Vec::leak(one.repeat(BATCH)), one.len())
}

/// How many heads end in `bytes`; `progress` is how much of an end the last ones closed with.
fn terminators(bytes: &[u8], progress: &mut u8) -> usize {
    const END: [u8; 4] = *b"\r\n\r\n";
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        if *progress == 0 {
            let Some(found) = memchr::memchr(b'\r', &bytes[at..]) else { break };
            at += found + 1;
            *progress = 1;
        } else if bytes[at] == END[*progress as usize] {
            at += 1;
            *progress = (*progress + 1) % 4;
            count += usize::from(*progress == 0);
        } else {
            // another CR is looked at again, as the first of an end
            *progress = 0;
            at += usize::from(bytes[at] != b'\r');
        }
    }
    count
}
