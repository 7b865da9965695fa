#!/usr/bin/env python3
"""The load that a profile for the compiler is taken under: `train.py TRACKER`, built with -Cprofile-generate.

Announces over keep-alive, pipelined and one-shot connections, and scrapes, in swarms of all sizes; then a stop, at which the profile is written.
"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from servers import Bench, end_all, end_on_signals  # noqa: E402


def main():
    end_on_signals()
    folder = tempfile.mkdtemp(prefix="tracker-bench-")
    try:
        bench = Bench(folder, sys.argv[1], 0, 1)
        server = bench.ours()
        usual = ("--torrents", 10_000, "--peers", 100_000, "--source-ips", 16, "--connections", 64)
        bench.load(server, *usual, "--enumerate", "--requests", 100_000, seconds=120)
        for more in (
            ("--requests", 100_000),
            ("--pipeline", 8, "--requests", 100_000),
            ("--mode", "close", "--requests", 20_000),
            ("--scrape-ratio", 1, "--requests", 20_000),
            ("--numwant", 200, "--requests", 20_000),
        ):
            bench.load(server, *usual, *more, seconds=120)
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
