//! What the fake tracker remembers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::fake::Fault;

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) addr: SocketAddr,
    pub(crate) id: Vec<u8>,
    pub(crate) is_seeder: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Torrent {
    pub(crate) members: Vec<Member>,
    pub(crate) downloaded: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Swarms(pub(crate) HashMap<Vec<u8>, Torrent>);

/// The parameters of a request, decoded.
pub(crate) struct Query(Vec<(String, Vec<u8>)>);

impl Query {
    pub(crate) fn read(text: &str, fault: Fault) -> Query {
        let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Query(pairs.map(|(name, value)| (name.to_owned(), decode(value, fault))).collect())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        std::str::from_utf8(self.get(name)?).ok()?.parse().ok()
    }
}

fn decode(value: &str, fault: Fault) -> Vec<u8> {
    let bytes = value.as_bytes();
    let (mut at, mut out) = (0, Vec::new());
    while at < bytes.len() {
        let digits = value.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let is_understood = |byte: u8| match fault {
            Fault::UpperCaseOnly => !digits.unwrap().bytes().any(|digit| digit.is_ascii_lowercase()),
            Fault::LettersAsTheyAre => !byte.is_ascii_alphanumeric(),
            _ => true,
        };
        match byte {
            Some(byte) if is_understood(byte) => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    // whatever became of it, a hash has twenty bytes
    if matches!(fault, Fault::UpperCaseOnly | Fault::LettersAsTheyAre) && out.len() > 20 {
        out.truncate(20);
    }
    out
}

impl Swarms {
    /// Takes an announce in, and returns whom its sender is told of.
    pub(crate) fn announce(&mut self, query: &Query, from: IpAddr, fault: Fault) -> Vec<Member> {
        let torrent = self.0.entry(query.get("info_hash").unwrap_or(b"none").to_vec()).or_default();
        let port = query.number("port").unwrap() as u16;
        let addr = SocketAddr::new(from, port);
        let event = query.get("event").unwrap_or_default();
        let old = torrent.members.iter().position(|member| member.addr == addr);
        if event == b"stopped" {
            if fault != Fault::KeepsTheStopped {
                torrent.members.retain(|member| member.addr != addr);
            }
            return Vec::new();
        }
        let is_seeder = query.get("left") == Some(b"0");
        if event == b"completed" && fault != Fault::CountsNoCompletions {
            torrent.downloaded += 1;
        }
        let member = Member { addr, id: query.get("peer_id").unwrap().to_vec(), is_seeder };
        match old {
            Some(old) => torrent.members[old] = member,
            None => torrent.members.push(member),
        }
        let wanted = match fault {
            Fault::IgnoresNumwant => 50,
            _ => query.number("numwant").unwrap_or(50),
        };
        let others =
            torrent.members.iter().filter(|member| fault == Fault::TellsOfItself || member.addr != addr);
        let mut told: Vec<Member> = others.cloned().collect();
        told.truncate(wanted);
        for member in &mut told {
            match fault {
                Fault::SwapsPorts => member.addr.set_port(member.addr.port().swap_bytes()),
                Fault::HandsOutAnotherAddress | Fault::IsBehindAProxy => {
                    member.addr.set_ip([192, 0, 2, 7].into());
                }
                _ => {}
            }
        }
        if fault == Fault::TellsOfNobody {
            told.clear();
        }
        told
    }
}
