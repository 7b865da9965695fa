//! Keyed hashing: whoever does not know the key can't choose names that collide.

use siphasher::sip::SipHasher13;

/// SipHash-1-3 with the key of the configuration.
#[derive(Clone, Copy)]
pub(crate) struct Hasher(SipHasher13);

impl Hasher {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Hasher(SipHasher13::new_with_key(key))
    }

    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        self.0.hash(bytes)
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(key not shown)")
    }
}
