//! The beginning of a TLS handshake (RFC 8446 §4.1.2), good enough for a server to do its part of the work.

use rand_core::Rng;

use crate::requests::random;

/// A `ClientHello` for TLS 1.3 and 1.2, in its record.
pub(crate) fn client_hello(rng: &mut impl Rng) -> Vec<u8> {
    let share: [u8; 32] = random(rng);
    let extensions = [
        extension(0x002b, &[4, 0x03, 0x04, 0x03, 0x03]), // supported_versions
        extension(0x000a, &[0, 2, 0x00, 0x1d]),          // supported_groups: x25519
        extension(0x000d, &[0, 8, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x08, 0x07]), // signature_algorithms
        extension(0x0033, &[&[0, 36, 0x00, 0x1d, 0, 32][..], &share].concat()), // key_share
    ]
    .concat();
    let body = [
        &[0x03, 0x03][..],
        &random::<32>(rng),
        &[32],
        &random::<32>(rng), // session id
        &[0, 8, 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2f],
        &[1, 0],
        &length(extensions.len()),
        &extensions,
    ]
    .concat();
    let handshake = [&[1, 0][..], &length(body.len()), &body].concat();
    record(22, &handshake)
}

/// A record of that type.
pub(crate) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0x03, 0x01][..], &length(content.len()), content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &length(content.len()), content].concat()
}

fn length(length: usize) -> [u8; 2] {
    (length as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn the_lengths_in_it_are_right() {
        let hello = client_hello(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        let at = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!((hello[0], at(3), hello[5], at(7)), (22, hello.len() - 5, 1, hello.len() - 9));
        // versions, random, session id, ciphers, compression, and then the extensions to the end
        let extensions = 9 + 2 + 32 + 33 + 10 + 2;
        assert_eq!(at(extensions), hello.len() - extensions - 2);
    }
}
