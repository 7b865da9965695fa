//! What the fake tracker writes.

use std::net::IpAddr;

use crate::fake::Fault;
use crate::swarm::{Member, Query};

pub(crate) fn failure(reason: &str) -> Vec<u8> {
    format!("d14:failure reason{}:{reason}e", reason.len()).into_bytes()
}

/// The answer to an announce, keys sorted unless that is the fault.
pub(crate) fn answer(
    fault: Fault,
    query: &Query,
    told: &[Member],
    counts: [usize; 2],
    from: IpAddr,
) -> Vec<u8> {
    let interval = match fault {
        Fault::HasAnIntervalOf(interval) => interval,
        _ => 1800,
    };
    let least = match fault {
        Fault::HasAMinIntervalOf(least) => least,
        _ => interval / 2,
    };
    let IpAddr::V4(from) = from else { unreachable!("it listens at 127.0.0.1") };
    let mut parts: Vec<Vec<u8>> = Vec::new();
    if fault != Fault::HasNoCounts {
        parts.push(format!("8:completei{}e", counts[0]).into());
    }
    if fault != Fault::IsBehindAProxy {
        parts.push([b"11:external ip4:".as_slice(), &from.octets()].concat());
    }
    if fault != Fault::HasNoCounts {
        parts.push(format!("10:incompletei{}e", counts[1]).into());
    }
    if fault != Fault::HasNoInterval {
        parts.push(format!("8:intervali{interval}e").into());
    }
    parts.push(format!("12:min intervali{least}e").into());
    if !(fault == Fault::LeavesOutNoPeers && told.is_empty()) {
        let is_list = query.get("compact") == Some(b"0") || fault == Fault::ListsByDefault;
        parts.push(
            [b"5:peers".to_vec(), if is_list { list(fault, query, told) } else { compact(told) }].concat(),
        );
    }
    if fault == Fault::SendsEmptyPeers6 {
        parts.push(b"6:peers60:".to_vec());
    }
    if fault == Fault::Warns {
        parts.push(b"15:warning message9:be gentle".to_vec());
    }
    if fault == Fault::DoesNotSort {
        parts.reverse();
    }
    let end = if fault == Fault::EndsWithALine { "e\r\n" } else { "e" };
    [b"d".to_vec(), parts.concat(), end.as_bytes().to_vec()].concat()
}

fn compact(told: &[Member]) -> Vec<u8> {
    let mut out = format!("{}:", told.len() * 6).into_bytes();
    for member in told {
        let IpAddr::V4(ip) = member.addr.ip() else { unreachable!("it listens at 127.0.0.1") };
        out.extend_from_slice(&ip.octets());
        out.extend_from_slice(&member.addr.port().to_be_bytes());
    }
    out
}

fn list(fault: Fault, query: &Query, told: &[Member]) -> Vec<u8> {
    let mut out = b"l".to_vec();
    for member in told {
        let ip = member.addr.ip().to_string();
        out.push(b'd');
        if fault != Fault::ListsWithoutAddresses {
            out.extend_from_slice(format!("2:ip{}:{ip}", ip.len()).as_bytes());
        }
        if query.get("no_peer_id").is_none() || fault == Fault::ListsIdsAnyway {
            out.extend_from_slice(b"7:peer id20:");
            out.extend_from_slice(&member.id);
        }
        out.extend_from_slice(format!("4:porti{}ee", member.addr.port()).as_bytes());
    }
    out.push(b'e');
    out
}
