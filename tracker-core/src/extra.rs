//! What few swarms need, out of the way of all others.

use crate::dense::Blocks;
use crate::index::Index;
use crate::{PeerId, PeerState};

/// What few families need beside their keys.
pub(crate) struct Extra<K, X> {
    /// Empty, or as many as there are keys, up to [`BLOCK`](crate::dense::BLOCK).
    pub(crate) ids: Vec<PeerId>,
    pub(crate) rare: Option<Box<Rare<K>>>,
    pub(crate) beside: X,
}

/// What a swarm needs that is large or has partial seeds.
pub(crate) struct Rare<K> {
    pub(crate) partial: u32,
    pub(crate) index: Option<Index>,
    /// The keys, and the ids if they are kept, that are behind those of the first array.
    pub(crate) keys: Blocks<K>,
    pub(crate) ids: Blocks<PeerId>,
    /// While the family is copied in several pieces: the peers that moved up, past the place where the copying goes on.
    pub(crate) moved: Option<Copied<K>>,
}

impl<K, X: Default> Default for Extra<K, X> {
    fn default() -> Self {
        Extra { ids: Vec::new(), rare: None, beside: X::default() }
    }
}

impl<K> Default for Rare<K> {
    fn default() -> Self {
        Rare { partial: 0, index: None, keys: Blocks::default(), ids: Blocks::default(), moved: None }
    }
}

impl<K, X> Extra<K, X> {
    pub(crate) fn index_mut(&mut self) -> Option<&mut Index> {
        self.rare.as_mut()?.index.as_mut()
    }
}

/// Peers copied out of families.
#[derive(Clone, Debug)]
pub(crate) struct Copied<K> {
    pub(crate) keys: Vec<K>,
    pub(crate) states: Vec<PeerState>,
    /// As many as there are keys, or empty where none are kept.
    pub(crate) ids: Vec<PeerId>,
}

impl<K> Default for Copied<K> {
    fn default() -> Self {
        Copied { keys: Vec::new(), states: Vec::new(), ids: Vec::new() }
    }
}

impl<K> Copied<K> {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.states.clear();
        self.ids.clear();
    }

    pub(crate) fn append(&mut self, other: &mut Self) {
        self.keys.append(&mut other.keys);
        self.states.append(&mut other.states);
        self.ids.append(&mut other.ids);
    }
}
