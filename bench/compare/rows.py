"""What is measured: the loads, and the swarms that they meet."""

from dataclasses import dataclass, replace

TORRENTS, PEERS = 10_000, 100_000
BIG_PEERS = 20_000  # some trackers walk the whole swarm for each announce, and have to be filled in time
BIG_NUMWANT = 200


@dataclass(frozen=True)
class Set:
    """Torrents and their peers, as the load program makes them up."""

    torrents: int
    peers: int
    seed: int = 1
    zipf: bool = False
    numwant: int = 50

    def arguments(self):
        words = ["--torrents", self.torrents, "--peers", self.peers, "--seed", self.seed, "--numwant", self.numwant]
        return [*words, "--zipf"] if self.zipf else words


@dataclass(frozen=True)
class Row:
    """A load. `null` is what the null server is given; None: an answer as long as this tracker's to a scrape."""

    title: str
    load: tuple
    big: bool = False
    null: tuple | None = ()
    compressed: bool = False
    rate: bool = False

    @property
    def one_shot(self):
        return "one-shot" in self.load


ONE_SHOT = ("--mode", "one-shot")
ROWS = {
    "keep-alive": Row("announce, keep-alive", ()),
    "pipelined": Row("announce, pipelined 8 deep", ("--mode", "pipelined")),
    "one-shot": Row("announce, a connection each", ONE_SHOT, null=("--close",)),
    "compressed": Row("announce, keep-alive, the client takes gzip", (), compressed=True),
    "big": Row("large swarm, numwant 200, keep-alive", (), big=True, null=("--peers", "200")),
    "big-one-shot": Row(
        "large swarm, numwant 200, a connection each", ONE_SHOT, big=True, null=("--close", "--peers", "200")
    ),
    "scrape": Row("scrape of one, keep-alive", ("--scrape",), null=None),
    "scrape-one-shot": Row("scrape of one, a connection each", ("--scrape", *ONE_SHOT), null=None),
    "rate": Row("keep-alive", (), rate=True),
    "rate-one-shot": Row("a connection each", ONE_SHOT, null=("--close",), rate=True),
}
CALLS = {"calls": "keep-alive", "calls-one-shot": "one-shot"}  # and the row whose load it is
MEMORY = {
    "peer": "per peer, 20 a torrent",
    "torrent": "per torrent of one peer",
    "connection": "per idle keep-alive connection, user space",
}
ALL = (*ROWS, *CALLS, *MEMORY)


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    rounds: int = 3
    seconds: int = 3
    connections: int = 64
    rate: int = 2_000
    usual: Set = Set(TORRENTS, PEERS, zipf=True)
    big: Set = Set(1, BIG_PEERS, seed=2, numwant=BIG_NUMWANT)
    checked: int = 4_000  # answers that are read to their end before a row is measured
    counted: int = 20_000  # requests during which system calls are counted
    held: int = 1_000_000  # peers, and torrents, of the rows of memory
    idle: int = 15_000

    def quick(self):
        """For a look whether all works."""
        few = {"rounds": 1, "seconds": 1, "rate": 500, "checked": 300, "counted": 1_000, "held": 20_000, "idle": 500}
        sets = {"usual": Set(100, 1_000, zipf=True), "big": Set(1, 1_000, seed=2, numwant=BIG_NUMWANT)}
        return replace(self, **few, **sets)
