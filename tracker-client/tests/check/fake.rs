//! A small tracker that does one thing wrong.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::bencode::{answer, failure};
use crate::swarm::{Query, Swarms};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    // no tracker for us
    IsNotFound,
    IsAWebPage,
    IsOutOfOrder,
    ShoutsAtLength,
    ServesChosenTorrents,
    RefusesWithStatus403,
    WantsAPasskey,
    LimitsItsPace,
    FallsSilent,
    MovesTo(SocketAddr),
    MovesToUdp,
    // how the answer is written
    Compresses,
    SaysTooLittleLength,
    SaysTooMuchLength,
    DoesNotSort,
    EndsWithALine,
    ListsByDefault,
    LeavesOutNoPeers,
    SendsEmptyPeers6,
    HasNoInterval,
    HasAnIntervalOf(u64),
    HasAMinIntervalOf(u64),
    HasNoCounts,
    Warns,
    // who is told of whom
    TellsOfNobody,
    SwapsPorts,
    TellsOfItself,
    HandsOutAnotherAddress,
    IsBehindAProxy,
    ListsWithoutAddresses,
    ListsIdsAnyway,
    RefusesLists,
    IgnoresNumwant,
    KeepsTheStopped,
    // spellings
    UpperCaseOnly,
    LettersAsTheyAre,
    RefusesTheUnknown,
    // HTTP
    ChunksForAll,
    StaysOpenForAll,
    WantsHostAsWritten,
    ClosesSilently,
    ClosesAlways,
    ForgetsWhatIsAhead,
    AnswersBackwards,
    SendsABodyToHead,
    KnowsNoHead,
    // mistakes of clients
    TakesAnyHash,
    Answers400WithoutAHash,
    RefusesWithoutWords,
    // scrape
    HasNoScrape,
    ScrapesNothing,
    ScrapesOne,
    CountsWrongly,
    ScrapesTheKnownOnly,
    ScrapesTheUnknown,
    CountsNoCompletions,
}

pub(crate) trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

/// Makes of a connection the one to talk over: itself, or TLS on it.
pub(crate) type Wrap = dyn Fn(TcpStream) -> io::Result<Box<dyn Line>> + Send + Sync;

pub(crate) struct Fake {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    fault: Fault,
    swarms: Mutex<Swarms>,
    asked: AtomicUsize,
    ends: AtomicBool,
}

impl Fake {
    pub(crate) fn start(fault: Fault) -> Fake {
        Fake::over(fault, Box::new(|stream| Ok(Box::new(stream))))
    }

    /// Serves one connection after the other.
    pub(crate) fn over(fault: Fault, wrap: Box<Wrap>) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (swarms, asked, ends) = (Mutex::default(), AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { fault, swarms, asked, ends });
        let mine = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if mine.ends.load(SeqCst) {
                    break;
                }
                let from = stream.peer_addr().unwrap().ip();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                // a client that goes, or takes no part in TLS, ends nothing
                if let Ok(line) = wrap(stream) {
                    let _ = Session { line, from, ahead: Vec::new(), shared: &mine }.serve();
                }
            }
        });
        Fake { addr, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/announce", self.addr)
    }

    /// How many requests have come.
    pub(crate) fn asked(&self) -> usize {
        self.shared.asked.load(SeqCst)
    }

    /// How many peers are in all swarms.
    pub(crate) fn members(&self) -> usize {
        self.shared.swarms.lock().unwrap().0.values().map(|torrent| torrent.members.len()).sum()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.ends.store(true, SeqCst);
        // wakes the one who waits for a connection
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            assert!(result.is_ok() || thread::panicking(), "the fake tracker has panicked");
        }
    }
}

struct Session<'a> {
    line: Box<dyn Line>,
    from: IpAddr,
    ahead: Vec<u8>,
    shared: &'a Shared,
}

struct Request {
    method: String,
    target: String,
    is_old: bool,
    closes: bool,
    has_host: bool,
}

impl Session<'_> {
    fn serve(&mut self) -> io::Result<()> {
        let fault = self.shared.fault;
        let mut held = None;
        while let Some(request) = self.request()? {
            let nth = self.shared.asked.fetch_add(1, SeqCst);
            if fault == Fault::FallsSilent && nth > 3 {
                while self.line.read(&mut [0; 512])? > 0 {}
                return Ok(());
            }
            let (answer, closes) = self.answer(&request, nth);
            if fault == Fault::AnswersBackwards && !self.ahead.is_empty() {
                held = Some(answer);
                continue;
            }
            self.line.write_all(&answer)?;
            if let Some(held) = held.take() {
                self.line.write_all(&held)?;
            }
            self.line.flush()?;
            if fault == Fault::ForgetsWhatIsAhead && !self.ahead.is_empty() {
                self.ahead.clear();
            } else if closes {
                break;
            }
        }
        Ok(())
    }

    fn request(&mut self) -> io::Result<Option<Request>> {
        let end = loop {
            if let Some(end) = self.ahead.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            let mut buffer = [0; 4096];
            match self.line.read(&mut buffer)? {
                0 => return Ok(None),
                read => self.ahead.extend_from_slice(&buffer[..read]),
            }
        };
        let head: Vec<u8> = self.ahead.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut words = head.lines().next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let is_old = words.next() == Some("HTTP/1.0");
        let lower = head.to_lowercase();
        let has_host = if self.shared.fault == Fault::WantsHostAsWritten {
            head.contains("\r\nHost: ")
        } else {
            lower.contains("\r\nhost: ")
        };
        let closes = is_old || lower.contains("connection: close");
        Ok(Some(Request { method, target, is_old, closes, has_host }))
    }

    /// The bytes to be sent, and whether the connection ends behind them.
    fn answer(&self, request: &Request, nth: usize) -> (Vec<u8>, bool) {
        let fault = self.shared.fault;
        let (status, headers, body) = self.content(request, nth);
        let is_open = matches!(fault, Fault::StaysOpenForAll if request.is_old);
        let closes = request.closes && !is_open || fault == Fault::ClosesAlways;
        let mut head = format!("HTTP/1.1 {status}\r\n{headers}");
        if closes && fault != Fault::ClosesSilently {
            head += "Connection: close\r\n";
        }
        let is_head = request.method == "HEAD";
        if fault == Fault::ChunksForAll && request.is_old {
            let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
            return ([chunk.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat(), closes);
        }
        let length = match fault {
            Fault::SaysTooLittleLength => body.len() - 3,
            Fault::SaysTooMuchLength => body.len() + 3,
            _ => body.len(),
        };
        let head = format!("{head}Content-Length: {length}\r\n\r\n").into_bytes();
        let body = if is_head && fault != Fault::SendsABodyToHead { Vec::new() } else { body };
        ([head, body].concat(), closes || fault == Fault::ClosesSilently)
    }

    fn content(&self, request: &Request, nth: usize) -> (&'static str, String, Vec<u8>) {
        let fault = self.shared.fault;
        let ok = |body: Vec<u8>| ("200 OK", String::new(), body);
        let moved = |place: &str| ("302 Found", format!("Location: {place}\r\n"), Vec::new());
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        match fault {
            Fault::MovesTo(addr) => return moved(&format!("http://{addr}/announce?{query}")),
            Fault::MovesToUdp => return moved("udp://127.0.0.1:1"),
            Fault::IsNotFound => return ("404 Not Found", String::new(), b"no such page".to_vec()),
            Fault::IsAWebPage => return ok(b"<!DOCTYPE html><html></html>".to_vec()),
            Fault::IsOutOfOrder => return ok(failure("the database is down")),
            Fault::ShoutsAtLength => return ok(failure(&"\x1b[2J\r\nno ".repeat(10_000))),
            Fault::WantsAPasskey => return ok(failure("passkey is missing")),
            Fault::LimitsItsPace if nth > 3 => return ok(failure("you announce too often")),
            Fault::KnowsNoHead if request.method == "HEAD" => {
                return ("405 Method Not Allowed", String::new(), Vec::new());
            }
            Fault::Compresses => {
                return ("200 OK", "Content-Encoding: gzip\r\n".to_owned(), b"\x1f\x8b\x08\0\0".to_vec());
            }
            _ if !request.has_host => return ("400 Bad Request", String::new(), Vec::new()),
            _ => {}
        }
        let query = Query::read(query, fault);
        match path {
            "/announce" => self.announce(&query, request.method == "HEAD"),
            "/scrape" if fault != Fault::HasNoScrape => ok(self.scrape(&query)),
            _ => ("404 Not Found", String::new(), Vec::new()),
        }
    }

    fn announce(&self, query: &Query, is_head: bool) -> (&'static str, String, Vec<u8>) {
        let fault = self.shared.fault;
        let ok = |body: Vec<u8>| ("200 OK", String::new(), body);
        let is_right = query.get("info_hash").is_some_and(|hash| hash.len() == 20);
        if !is_right && fault == Fault::Answers400WithoutAHash {
            return ("400 Bad Request", String::new(), Vec::new());
        }
        if !is_right && fault == Fault::RefusesWithoutWords {
            return ok(failure("?"));
        }
        if !is_right && fault != Fault::TakesAnyHash {
            return ok(failure("info_hash is needed, of 20 bytes"));
        }
        if fault == Fault::ServesChosenTorrents {
            return ok(failure("Requested download is not authorized for use with this tracker."));
        }
        if fault == Fault::RefusesWithStatus403 {
            return ("403 Forbidden", String::new(), failure("unregistered torrent"));
        }
        if fault == Fault::RefusesLists && query.get("compact") == Some(b"0") {
            return ("400 Bad Request", String::new(), Vec::new());
        }
        if fault == Fault::RefusesTheUnknown && query.get("no_such_thing").is_some() {
            return ok(failure("no_such_thing is unknown"));
        }
        let mut swarms = self.shared.swarms.lock().unwrap();
        let told = if is_head { Vec::new() } else { swarms.announce(query, self.from, fault) };
        let members = swarms
            .0
            .get(query.get("info_hash").unwrap_or(b"none"))
            .map_or(&[][..], |torrent| &torrent.members);
        let seeders = members.iter().filter(|member| member.is_seeder).count();
        ok(answer(fault, query, &told, [seeders, members.len() - seeders], self.from))
    }

    fn scrape(&self, query: &Query) -> Vec<u8> {
        let fault = self.shared.fault;
        let swarms = self.shared.swarms.lock().unwrap();
        let mut asked: Vec<&[u8]> = query.all("info_hash").collect();
        asked.sort_unstable();
        match fault {
            Fault::ScrapesNothing => asked.clear(),
            Fault::ScrapesOne => asked.retain(|hash| asked_alone(query) || !swarms.0.contains_key(*hash)),
            Fault::ScrapesTheKnownOnly => asked.retain(|hash| swarms.0.contains_key(*hash)),
            _ => {}
        }
        let mut body = b"d5:filesd".to_vec();
        for hash in asked {
            let known = swarms.0.get(hash);
            let [mut complete, mut incomplete, mut downloaded] = known.map_or([0; 3], |torrent| {
                let seeders = torrent.members.iter().filter(|member| member.is_seeder).count();
                [seeders, torrent.members.len() - seeders, torrent.downloaded]
            });
            match fault {
                Fault::CountsWrongly if known.is_some() => (complete, incomplete) = (incomplete, complete),
                Fault::ScrapesTheUnknown if known.is_none() => downloaded = 1,
                _ => {}
            }
            body.extend_from_slice(b"20:");
            body.extend_from_slice(hash);
            let counts =
                format!("d8:completei{complete}e10:downloadedi{downloaded}e10:incompletei{incomplete}ee");
            body.extend_from_slice(counts.as_bytes());
        }
        body.extend_from_slice(b"ee");
        body
    }
}

fn asked_alone(query: &Query) -> bool {
    query.all("info_hash").count() == 1
}
