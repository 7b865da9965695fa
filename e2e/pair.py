"""One seeder and one downloader who know nothing of each other but what the tracker says."""

import filecmp
import os
from dataclasses import dataclass

import torrent
from clients import MAKERS
from tracker import PEER_TIMEOUT, Counts
from wait import TimedOut, wait_for

TRANSFER_SECONDS = 45
COUNTS_SECONDS = 10  # for the counts after an event that the tracker was told of at once
EXPIRY_SECONDS = PEER_TIMEOUT + 15  # for those after a client went without a word


@dataclass(frozen=True)
class Pair:
    """`seeder` and `downloader` are names of makers, `family` is 4 or 6."""

    seeder: str
    downloader: str
    family: int = 4

    @property
    def name(self):
        return f"{self.seeder}-to-{self.downloader}-ipv{self.family}"

    def missing(self):
        """None if both clients are installed, else why not."""
        reasons = [MAKERS[maker].missing() for maker in dict.fromkeys((self.seeder, self.downloader))]
        return "; ".join(reason for reason in reasons if reason) or None

    def run(self, tracker, folder):
        """Transfers a file; raises at the first thing that is not as it should be."""
        os.makedirs(folder)
        meta = torrent.make(folder, self.name, tracker.announce_url(self.family))
        clients = []
        try:
            self._transfer(tracker, meta, folder, clients)
        except Exception as error:
            raise PairFailed(self._diagnosis(error, tracker, meta, clients)) from error
        finally:
            for client in clients:
                client.process.kill()

    def _transfer(self, tracker, meta, folder, clients):
        def start(maker, role):
            clients.append(MAKERS[maker](role, meta, os.path.join(folder, role), self.family))
            return clients[-1]

        def running(condition):
            for client in clients:
                client.check_running()
            return condition()

        seeder = start(self.seeder, "seed")
        counts = Counts(complete=1, incomplete=0, downloaded=0)
        self._expect(tracker, meta, counts, TRANSFER_SECONDS, running)
        downloader = start(self.downloader, "download")
        wait_for("the download to finish", lambda: running(downloader.finished), TRANSFER_SECONDS)
        if not filecmp.cmp(meta.payload, downloader.file, shallow=False):
            raise AssertionError(f"{downloader.file} differs from {meta.payload}")
        counts = Counts(complete=2, incomplete=0, downloaded=1)
        self._expect(tracker, meta, counts, COUNTS_SECONDS, running)

        for client in clients:
            client.stop()
        polite = all(client.always_sends_stopped for client in clients)
        counts = Counts(complete=0, incomplete=0, downloaded=1)
        self._expect(tracker, meta, counts, COUNTS_SECONDS if polite else EXPIRY_SECONDS)

    @staticmethod
    def _expect(tracker, meta, counts, seconds, running=lambda condition: condition()):
        seen = None

        def as_expected():
            nonlocal seen
            seen = tracker.scrape(meta.info_hash)
            return seen == counts

        try:
            wait_for(f"the scrape to say: {counts}", lambda: running(as_expected), seconds)
        except TimedOut as error:
            raise TimedOut(f"{error}; it said: {seen}") from None

    def _diagnosis(self, error, tracker, meta, clients):
        parts = [f"{type(error).__name__}: {error}", f"  info hash {meta.info_hash.hex()}"]
        parts += [client.process.log_tail() for client in clients]
        parts.append(tracker.log_tail())
        return "\n".join(parts)


class PairFailed(Exception):
    """The whole story: what was waited for, and the ends of everybody's logs."""
