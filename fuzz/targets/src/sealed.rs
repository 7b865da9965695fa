//! Checksums made right, so that inputs reach what lies behind them.

/// `text` with the checksum of each line as it should be, where a line looks like one, and with the one in a snapshot's last
/// line; the number of lines there is left as it is, if there is one.
pub fn sealed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = crc32fast::Hasher::new();
    for (lines, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (content, end) = match line.strip_suffix(b"\n") {
            Some(content) => (content, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        let line = match parts(content) {
            Some((number, record)) if record.starts_with(b"End(") => {
                let sum = before.clone().finalize();
                let said = record.strip_prefix(b"End(lines:").unwrap_or_default();
                let said: String =
                    said.iter().copied().map(char::from).take_while(char::is_ascii_digit).collect();
                let lines = if said.is_empty() { lines.to_string() } else { said };
                seal(number, format!("End(lines:{lines},checksum:\"{sum:08x}\"))").as_bytes())
            }
            Some((number, record)) => seal(number, record),
            None => content.to_vec(),
        };
        before.update(&line);
        out.extend_from_slice(&line);
        out.extend_from_slice(end);
    }
    out
}

/// The number, and the record with the parenthesis behind it.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"(")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    let record = rest.strip_prefix(b",\"")?.get(8..)?.strip_prefix(b"\",")?;
    record.ends_with(b")").then_some((number, record))
}

fn seal(number: &[u8], record: &[u8]) -> Vec<u8> {
    let content = record.strip_suffix(b")").unwrap_or(record);
    let sum = crc32fast::hash(&[number, b",", content].concat());
    [b"(", number, format!(",\"{sum:08x}\",").as_bytes(), record].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_checksum_is_mended_and_a_right_one_stays() {
        let swarm = tracker_core::SwarmData { downloaded: 3, ..Default::default() };
        let text = tracker_store::write_swarms(1, 3, &[swarm]).unwrap();
        assert_eq!(sealed(text.as_bytes()), text.as_bytes());
        let broken = text.replace("downloaded:3", "downloaded:4");
        let mended = sealed(broken.as_bytes());
        let mut found = Vec::new();
        let read = tracker_store::read_swarms(&mended[..], |swarm| found.push(swarm.downloaded)).unwrap();
        assert_eq!((found, read.is_whole), (vec![4], true));
    }
}
