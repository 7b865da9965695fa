//! Undirected graphs: degrees, components, diameter, clustering, and a random graph of the same degrees.

use crate::random::Random;

/// Up to so many nodes, the diameter is exact: every node is a source. Above, as many as [`SAMPLE`].
pub(crate) const EXACT_UP_TO: usize = 10_000;
const SAMPLE: usize = 256;

/// A graph as lists of neighbours, each sorted, in one array.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

/// What is measured of a graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) degrees: Vec<u32>,
    /// Share of the nodes in the largest component.
    pub(crate) largest: f64,
    /// Of the largest component: the longest of all shortest paths, and their mean.
    pub(crate) diameter: u32,
    pub(crate) distance: f64,
    /// Of all paths of two edges, the share whose ends are neighbours.
    pub(crate) clustering: f64,
}

impl Graph {
    /// The graph of `nodes` nodes with these edges; loops and doubles are left out.
    pub(crate) fn new(nodes: usize, edges: &[(u32, u32)]) -> Self {
        let mut both: Vec<(u32, u32)> =
            edges.iter().filter(|(a, b)| a != b).flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        both.sort_unstable();
        both.dedup();
        let mut starts = vec![0; nodes + 1];
        for &(a, _) in &both {
            starts[a as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        Graph { starts, neighbours: both.into_iter().map(|(_, b)| b).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn of(&self, node: u32) -> &[u32] {
        &self.neighbours[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    pub(crate) fn degrees(&self) -> Vec<u32> {
        (0..self.len()).map(|node| self.starts[node + 1] - self.starts[node]).collect()
    }

    /// A graph with the same degrees, in which no seeder has a seeder for a neighbour either, and no other structure: ends of
    /// edges are paired by chance. The few loops and doubles that this makes are left out.
    pub(crate) fn shuffled(&self, is_seeder: &[bool], random: &mut Random) -> Graph {
        let mut edges = Vec::new();
        let (mut seeders, mut leechers, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for a in 0..self.len() as u32 {
            for &b in self.of(a).iter().filter(|&&b| a < b) {
                match (is_seeder[a as usize], is_seeder[b as usize]) {
                    (true, _) => (seeders.push(a), leechers.push(b)),
                    (_, true) => (seeders.push(b), leechers.push(a)),
                    _ => (others.push(a), others.push(b)),
                };
            }
        }
        random.shuffle(&mut leechers);
        random.shuffle(&mut others);
        edges.extend(seeders.into_iter().zip(leechers));
        edges.extend(others.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Graph::new(self.len(), &edges)
    }

    /// Measures it; `random` chooses sources where there are too many nodes for all.
    pub(crate) fn shape(&self, random: &mut Random) -> Shape {
        let component = self.largest_component();
        let mut sources = component.clone();
        if component.len() > EXACT_UP_TO {
            random.shuffle(&mut sources);
            sources.truncate(SAMPLE);
        }
        let (diameter, distance) = self.distances(&sources, component.len());
        Shape {
            degrees: self.degrees(),
            largest: component.len() as f64 / self.len().max(1) as f64,
            diameter,
            distance,
            clustering: self.clustering(),
        }
    }

    /// The nodes of the largest component; the first of those that are as large.
    pub(crate) fn largest_component(&self) -> Vec<u32> {
        let mut seen = vec![false; self.len()];
        let mut largest = Vec::new();
        for start in 0..self.len() as u32 {
            if std::mem::replace(&mut seen[start as usize], true) {
                continue;
            }
            let mut component = vec![start];
            let mut next = 0;
            while let Some(&node) = component.get(next) {
                next += 1;
                for &other in self.of(node) {
                    if !std::mem::replace(&mut seen[other as usize], true) {
                        component.push(other);
                    }
                }
            }
            if component.len() > largest.len() {
                largest = component;
            }
        }
        largest
    }

    /// The longest and the mean shortest path from `sources` to all of their component, which has `size` nodes: a search in
    /// breadth, for 64 sources at a time, one bit each.
    fn distances(&self, sources: &[u32], size: usize) -> (u32, f64) {
        let (mut longest, mut sum) = (0, 0.0);
        let mut seen = vec![0_u64; self.len()];
        let mut front = vec![0_u64; self.len()];
        let mut next = vec![0_u64; self.len()];
        for chunk in sources.chunks(64) {
            seen.fill(0);
            front.fill(0);
            for (bit, &source) in chunk.iter().enumerate() {
                seen[source as usize] = 1 << bit;
                front[source as usize] = 1 << bit;
            }
            for distance in 1.. {
                next.fill(0);
                for (node, &bits) in front.iter().enumerate().filter(|&(_, &bits)| bits != 0) {
                    for &other in self.of(node as u32) {
                        next[other as usize] |= bits;
                    }
                }
                let mut reached = 0;
                for (new, seen) in next.iter_mut().zip(&mut seen) {
                    *new &= !*seen;
                    *seen |= *new;
                    reached += u64::from(new.count_ones());
                }
                if reached == 0 {
                    break;
                }
                longest = longest.max(distance);
                sum += f64::from(distance) * reached as f64;
                std::mem::swap(&mut front, &mut next);
            }
        }
        let paths = sources.len() as f64 * (size.max(2) - 1) as f64;
        (longest, if paths == 0.0 { 0.0 } else { sum / paths })
    }

    /// See [`Shape::clustering`].
    fn clustering(&self) -> f64 {
        let (mut closed, mut paths) = (0_u64, 0_u64);
        let mut marked = vec![false; self.len()];
        for node in 0..self.len() as u32 {
            let around = self.of(node);
            paths += (around.len() * around.len().saturating_sub(1)) as u64;
            around.iter().for_each(|&other| marked[other as usize] = true);
            for &other in around {
                closed += self.of(other).iter().filter(|&&third| marked[third as usize]).count() as u64;
            }
            around.iter().for_each(|&other| marked[other as usize] = false);
        }
        if paths == 0 { 0.0 } else { closed as f64 / paths as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(nodes: usize, edges: &[(u32, u32)]) -> Shape {
        Graph::new(nodes, edges).shape(&mut Random::new(1, 0))
    }

    #[test]
    fn known_graphs_have_their_known_shapes() {
        let ring: Vec<_> = (0..100).map(|i| (i, (i + 1) % 100)).collect();
        let ring = shape(100, &ring);
        assert_eq!((ring.diameter, ring.largest, ring.clustering), (50, 1.0, 0.0));
        assert!((ring.distance - 2500.0 / 99.0).abs() < 1e-9);
        let complete: Vec<_> = (0..30).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
        let complete = shape(30, &complete);
        assert_eq!((complete.diameter, complete.distance, complete.clustering), (1, 1.0, 1.0));
        // a triangle with a tail, and a node that nobody knows: 5 paths of two edges, 3 of them closed
        let tail = shape(5, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 2), (4, 4)]);
        assert_eq!((tail.diameter, tail.largest, tail.clustering), (2, 0.8, 0.6));
        assert_eq!(tail.degrees, [2, 2, 3, 1, 0]);
        assert_eq!((shape(0, &[]).diameter, shape(3, &[]).largest), (0, 1.0 / 3.0));
    }

    #[test]
    fn many_sources_at_once_find_what_one_at_a_time_does() {
        let mut random = Random::new(9, 0);
        let edges: Vec<_> = (0..450).map(|_| (random.below(300) as u32, random.below(300) as u32)).collect();
        let graph = Graph::new(300, &edges);
        let component = graph.largest_component();
        let one_by_one = component.iter().map(|&node| graph.distances(&[node], component.len()));
        let (longest, sum) =
            one_by_one.fold((0, 0.0), |(longest, sum), (d, mean)| (d.max(longest), sum + mean));
        let (diameter, distance) = graph.distances(&component, component.len());
        assert_eq!(diameter, longest);
        assert!((distance - sum / component.len() as f64).abs() < 1e-9);
    }

    #[test]
    fn shuffling_keeps_degrees_and_loses_clusters() {
        let edges: Vec<_> = (0..2000).flat_map(|a| (1..=6).map(move |d| (a, (a + d) % 2000))).collect();
        let lattice = Graph::new(2000, &edges);
        let mut random = Random::new(8, 0);
        let (before, after) =
            (lattice.shape(&mut random), lattice.shuffled(&[false; 2000], &mut random).shape(&mut random));
        assert!(before.clustering > 0.6 && after.clustering < 0.02);
        let sum = |degrees: &[u32]| f64::from(degrees.iter().sum::<u32>());
        assert!((sum(&after.degrees) / sum(&before.degrees) - 1.0).abs() < 0.02);
    }
}
