//! Requests as qBittorrent writes them, each with an info hash of its own.

/// So many that no predictor learns their branches by heart, and so few that they stay in the cache.
pub(crate) const COUNT: usize = 1024;

/// Some announces, as many escapes in them as chance has it.
pub(crate) fn announces() -> Vec<Vec<u8>> {
    let mut seed = 1_u64;
    let mut random = move || {
        // SplitMix64
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let mut announce = || {
        let mut request = String::from("GET /announce?info_hash=");
        (0..20).for_each(|_| escape(&mut request, random() as u8));
        request += "&peer_id=-qB4650-";
        (0..12).for_each(|_| escape(&mut request, b'0' + random() as u8 % 75));
        let event = ["&event=started", "", "", ""][random() as usize % 4];
        request += &format!(
            "&port={}&uploaded=0&downloaded=0&left={}&corrupt=0&key={:08X}{event}&numwant=50&compact=1&no_peer_id=1\
             &supportcrypto=1&redundant=0 HTTP/1.1\r\nHost: 127.0.0.1:6969\r\nUser-Agent: qBittorrent/4.6.5\r\n\
             Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n",
            1024 + random() % 60_000,
            (random() % 4096) << 20,
            random() as u32,
        );
        request.into_bytes()
    };
    (0..COUNT).map(|_| announce()).collect()
}

fn escape(request: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || b"-_.!~*()'".contains(&byte) {
        request.push(byte as char);
    } else {
        *request += &format!("%{byte:02x}");
    }
}
