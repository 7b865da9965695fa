"""Measures: rows of load in rounds, system calls, memory."""

import os
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from field import Failed, complaint, tell
from rows import CALLS, MEMORY, ROWS, Set
from servers import end_all, scrape_peers
from trackers import TRACKERS, Missing

WARM_CONNECTIONS = 256


def loads(field, size, keys, rows, notes):
    """{row: {tracker: what came of it}} of the rows of load; and of those of system calls, on the same servers."""
    results = {}
    try:
        servers = started(field, size, keys, rows, notes)
        for name in [name for name in ROWS if name in rows]:
            tell(f"measuring: {ROWS[name].title}")
            results[name] = row(field, size, servers, ROWS[name])
        for name in [name for name in CALLS if name in rows]:
            tell(f"counting system calls: {ROWS[CALLS[name]].title}")
            results[name] = calls(field, size, servers, ROWS[CALLS[name]])
    finally:
        end_all()
    return results


def started(field, size, keys, rows, notes):
    """{tracker: {set: server}}, each filled. The null server is another one for each row, and not among them."""
    asked = [ROWS[CALLS.get(name, name)] for name in rows if name not in MEMORY]
    sets = {arguments_of(size, row)[0] for row in asked}
    servers = {}
    for key in keys:
        if key == "null":
            servers[key] = {}
            continue
        tell(f"filling: {TRACKERS[key].title}")
        try:
            filled = {torrents: field.start(TRACKERS[key], torrents) for torrents in sets}
            for torrents, server in filled.items():
                field.fill(server, torrents, size.connections)
            servers[key] = filled
        except (Failed, Missing) as problem:
            notes.append(f"{TRACKERS[key].title} is left out: {problem}")
    return servers


def arguments_of(size, row):
    """The set that a row is about, and what the load program is told."""
    torrents = size.big if row.big else size.usual
    more = [*row.load, "--fill", "no", "--connections", size.connections]
    if not row.compressed:
        more.append("--plain")
    return torrents, more


def row(field, size, servers, row):
    """{tracker: {"check", "rounds", "cannot", "wrong"}}: all that could be asked were asked in turn."""
    torrents, more = arguments_of(size, row)
    results, asked, floor = {}, {}, None
    try:
        for key, filled in servers.items():
            if key != "null":
                server = filled[torrents]
            elif row.compressed:
                continue
            else:
                server = floor = null_for(field, row, servers.get("ours", {}).get(torrents))
            results[key] = {"rounds": []}
            try:
                results[key].update(checked(field, size, server, row, torrents, more))
            except Failed as problem:
                results[key]["cannot"] = str(problem)
            if "cannot" not in results[key]:
                asked[key] = server
        paced = ["--rate", size.rate] if row.rate else []
        for turn in range(size.rounds):
            # who comes first changes
            for key in sorted(asked, key=lambda key: (list(servers).index(key) - turn) % len(servers)):
                try:
                    said = field.ask(asked[key], torrents, *more, *paced, "--seconds", size.seconds)
                except Failed as problem:
                    results[key] = {"rounds": [], "cannot": str(problem)}
                    del asked[key]
                    continue
                results[key]["rounds"].append(said)
                wrong = complaint(said)
                if wrong and "wrong" not in results[key]:
                    results[key]["wrong"] = wrong
    finally:
        if floor:
            floor.end()
    return results


def checked(field, size, server, row, torrents, more):
    """Whether it can do what the row asks for, and does it right."""
    if not server.keep_alive and not row.one_shot:
        return {"cannot": "closes after each answer"}
    said = field.ask(server, torrents, *more, "--check", "--requests", size.checked)
    if row.compressed and not said["compressed"]:
        return {"check": said, "cannot": "does not compress"}
    lost = {name: count for name, count in said["errors"].items() if count and name != "bad_body"}
    wrong = complaint(said) if not (server.name == "null" and row.load[:1] == ("--scrape",)) else None
    if lost or not said["answers"]:
        return {"check": said, "cannot": wrong}
    # a wrong body costs what a right one would
    return {"check": said, "wrong": wrong} if wrong else {"check": said}


def null_for(field, row, ours):
    """The floor for a row."""
    if row.null is not None:
        return field.null(*row.null)
    peers = scrape_peers(ours)[0] if ours else 12
    return field.null("--peers", str(peers), *(["--close"] if row.one_shot else []))


def calls(field, size, servers, row):
    """{tracker: {"calls": a request}} under strace, which takes its time: nothing else is measured then."""
    torrents, more = arguments_of(size, row)
    results = {}
    for key, filled in servers.items():
        server = null_for(field, row, None) if key == "null" else filled[torrents]
        if not server.keep_alive and not row.one_shot:
            results[key] = {"cannot": "closes after each answer"}
            continue
        try:
            field.ask(server, torrents, *more, "--requests", size.counted // 10)
            results[key] = {"calls": traced(field, server, torrents, [*more, "--requests", size.counted])}
        except Failed as problem:
            results[key] = {"cannot": str(problem)}
        if key == "null":
            server.end()
    return results


def traced(field, server, torrents, more):
    """Calls a request, by strace."""
    path = os.path.join(field.folder, f"calls-{time.monotonic_ns()}")
    log = f"{path}.log"
    with open(log, "wb") as file:
        command = ["strace", "-c", "-f", "-p", str(server.pid), "-o", path]
        strace = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_until(lambda: b"attached" in read(log), strace)
        said = field.ask(server, torrents, *more, "--timeout", 30)
    finally:
        if strace.poll() is None:
            strace.send_signal(signal.SIGINT)
        try:
            strace.wait(20)
        except subprocess.TimeoutExpired:
            strace.kill()
            strace.wait()
    wrong = complaint(said)
    if wrong:
        raise Failed(wrong)
    counts = {}
    for line in read(path).decode().splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            counts[words[-1]] = int(words[3]) / said["answers"]
    often = sorted((name for name in counts if counts[name] >= 0.01), key=counts.get, reverse=True)
    return {"all": sum(counts.values()), "often": {name: round(counts[name], 2) for name in often[:6]}}


def wait_until(is_so, process):
    end = time.monotonic() + 10
    while not is_so():
        if process.poll() is not None or time.monotonic() > end:
            raise Failed("strace cannot trace it here")
        time.sleep(0.02)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def memory(field, size, keys, rows, notes):
    """{row: {tracker: {"bytes", "count"}}} of the rows of memory; each row of a tracker has a server of its own."""
    results = {name: {} for name in MEMORY if name in rows}
    jobs = []
    for key in keys:
        if key == "null":
            continue
        for name in results:
            jobs.append((name, key, TRACKERS[key]))
        if key == "ours" and ("peer" in results or "torrent" in results):
            jobs += [(name, "ours without ids", TRACKERS[key]) for name in ("peer", "torrent") if name in results]
    # what they take does not depend on how fast they get it, so both cores are used
    with ThreadPoolExecutor(max_workers=2) as pool:
        cores = [field.server_core, field.load_core]
        done = [pool.submit(weighed, field, size, *job, cores[at % 2]) for at, job in enumerate(jobs)]
        for (name, key, tracker), future in zip(jobs, done):
            try:
                results[name][key] = future.result()
            except Failed as problem:
                results[name][key] = {"cannot": str(problem)}
            except (Missing, RuntimeError) as problem:
                notes.append(f"{tracker.title}, {MEMORY[name]}: not measured: {problem}")
    return results


def weighed(field, size, name, key, tracker, core):
    """Bytes for each of so many things."""
    tell(f"memory: {tracker.title}, {MEMORY[name]}")
    if name == "connection" and not tracker.keep_alive:
        return {"cannot": "closes after each answer"}
    torrents = {"peer": size.held // 20, "torrent": size.held, "connection": 1}[name]
    torrents = Set(torrents, size.held if name != "connection" else 1000)
    server = field.ours(peer_ids=False) if key == "ours without ids" else field.start(tracker, torrents)
    try:
        subprocess.run(["taskset", "-acp", str(core), str(server.pid)], stdout=subprocess.DEVNULL, check=False)
        return connected(field, size, server, torrents) if name == "connection" else held(field, size, server, torrents)
    finally:
        server.end()


def held(field, size, server, torrents):
    before = server.resident()
    cores = f"{field.server_core},{field.load_core}"
    said = field.fill(server, torrents, size.connections, core=cores, more=("--no-spin",))
    return {"bytes": (server.resident() - before) / said["answers"], "count": said["answers"]}


def connected(field, size, server, torrents):
    """A scrape on each connection, which leaves nothing in the swarms."""
    scrape = ("--scrape", "--plain", "--fill", "no", "--no-spin", "--timeout", 20)
    cores = f"{field.server_core},{field.load_core}"
    count = min(size.idle, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000)
    field.ask(server, torrents, *scrape, "--requests", 20_000, "--connections", WARM_CONNECTIONS, core=cores)
    before = server.resident()
    said = field.ask(server, torrents, *scrape, "--idle", "--connections", count, core=cores)
    if not said["connections_open"]:
        raise Failed("none of the connections stayed open")
    # what the load program saw itself, before it let go of them
    return {
        "bytes": (said["server_resident_bytes"] - before) / said["connections_open"],
        "count": said["connections_open"],
    }
