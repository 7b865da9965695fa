"""The trackers that are compared: how each is had, how it is set, and how it is started."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from servers import Server, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST_BUILD = 5400
AQUATIC, TORRUST, NODE = "0.9.0", "3.0.0", "11.2.3"  # the versions that are built and installed

AQUATIC_PEERS = 50  # its default
AQUATIC_SETTINGS = """\
socket_workers = 1
swarm_workers = 1
log_level = "error"

[network]
address = "127.0.0.1:PORT"
keep_alive = true

[protocol]
max_peers = PEERS
peer_announce_interval = 1800

[cleaning]
max_peer_age = 3600
"""

TORRUST_SETTINGS = """\
[metadata]
app = "torrust-tracker"
purpose = "configuration"
schema_version = "2.0.0"

[logging]
threshold = "error"

[core]
listed = false
private = false
tracker_usage_statistics = false

[core.announce_policy]
interval = 1800
interval_min = 1800

[core.tracker_policy]
max_peer_timeout = 3600
persistent_torrent_completed_stat = false
remove_peerless_torrents = false

[core.database]
driver = "sqlite3"
path = "FOLDER/torrust.db"

[[http_trackers]]
bind_address = "127.0.0.1:PORT"

[health_check_api]
bind_address = "127.0.0.1:ANOTHER"
"""


class Missing(Exception):
    """A tracker that cannot be had here; says why."""


@dataclass(frozen=True)
class Tracker:
    """One of them. `start(field, torrents)` starts it for a set, `get(field)` makes sure that it is here."""

    key: str
    title: str
    get: object
    start: object
    settings: str
    keep_alive: bool = True
    notes: tuple = ()  # what a reader has to know, and a program does not find out


def run(command, error, seconds=LONGEST_BUILD, **options):
    """What a command prints; `Missing` if it fails."""
    try:
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, **options}
        done = subprocess.run(command, timeout=seconds, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Missing(f"{error}: {problem}") from problem
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Missing(f"{error}: {next((line for line in lines if 'error' in line), lines[-1]).strip()}")
    return done.stdout.decode(errors="replace")


def cargo_has(field, crate, version):
    """Whether cargo has installed this version: the program alone may be an older one."""
    try:
        with open(os.path.join(field.tools, ".crates2.json"), encoding="utf-8") as file:
            return any(name.startswith(f"{crate} {version} ") for name in json.load(file)["installs"])
    except FileNotFoundError:
        return False


def cargo_install(field, crate, version, *more, flags=""):
    """Builds a program with cargo, once for each version."""
    if not cargo_has(field, crate, version):
        if not field.installs:
            raise Missing(f"{version} is not built, and nothing is to be installed")
        if not shutil.which("cargo"):
            raise Missing("cargo, which builds it, is not installed")
        print(f"building {crate} {version}: that takes some minutes", file=sys.stderr, flush=True)
        environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
        command = ["nice", "cargo", "install", "--quiet", "--locked", "--root", field.tools, f"{crate}@{version}"]
        run([*command, *more], f"cargo cannot build {crate} {version}", env={**environment, "RUSTFLAGS": flags})
    return version


def get_null(_field):
    return "epoll, no parsing, a fixed answer"


def get_ours(field):
    return run([field.tracker, "--version"], f"{field.tracker} cannot be run").split()[-1]


def get_opentracker(field):
    if not shutil.which("opentracker"):
        if not (field.installs and os.geteuid() == 0 and shutil.which("apt-get")):
            raise Missing("Debian's opentracker is not installed, and nothing is to be installed, or not by this user")
        install = ["install", "-y", "-qq", "--no-install-recommends", "opentracker"]
        for words in (["update", "-qq"], install):
            run(["apt-get", *words], f"apt-get {words[0]} fails", 300)
    try:
        version = run(["dpkg-query", "-W", "-f", "${Version}", "opentracker"], "no package")
        return f"Debian {version}"
    except Missing:
        return "of this machine"


def get_aquatic(field):
    # its documents recommend to build for the processor of the machine
    return cargo_install(
        field, "aquatic_http", AQUATIC, "--no-default-features", "--features", "mimalloc", flags="-C target-cpu=native"
    )


def get_torrust(field):
    return cargo_install(field, "torrust-tracker", TORRUST, "--bin", "torrust-tracker")


def npm_has(field, package, version):
    """Whether npm has installed this version."""
    try:
        with open(os.path.join(field.tools, "node_modules", package, "package.json"), encoding="utf-8") as file:
            return json.load(file)["version"] == version
    except FileNotFoundError:
        return False


def get_node(field):
    if not shutil.which("node"):
        raise Missing("Node.js is not installed")
    if not npm_has(field, "bittorrent-tracker", NODE):
        if not (field.installs and shutil.which("npm")):
            raise Missing(f"{NODE} is not installed, and nothing is to be installed, or npm is not there")
        os.makedirs(field.tools, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", field.tools]
        run([*command, f"bittorrent-tracker@{NODE}"], "npm cannot install it", 600)
    node = run(["node", "--version"], "node cannot be run").strip()
    return f"{NODE}, Node.js {node}"


def configured(field, name, settings):
    """The settings in a file, and the port in them."""
    port = free_port()
    path = os.path.join(field.folder, f"{name}-{port}.toml")
    with open(path, "w", encoding="utf-8") as file:
        settings = settings.replace("PORT", str(port)).replace("ANOTHER", str(free_port()))
        file.write(settings.replace("FOLDER/", path[:-5] + "-"))
    return path, port


def start_aquatic(field, torrents):
    settings = AQUATIC_SETTINGS.replace("PEERS", str(max(AQUATIC_PEERS, torrents.numwant)))
    path, port = configured(field, "aquatic", settings)
    command = [os.path.join(field.tools, "bin", "aquatic_http"), "-c", path]
    return Server("aquatic", command, field.server_core, field.folder, port)


def start_torrust(field, _torrents):
    path, port = configured(field, "torrust", TORRUST_SETTINGS)
    command = [os.path.join(field.tools, "bin", "torrust-tracker")]
    environment = {"TORRUST_TRACKER_CONFIG_TOML_PATH": path}
    return Server("torrust", command, field.server_core, field.folder, port, environment=environment)


def start_node(field, _torrents):
    port = free_port()
    command = ["node", os.path.join(HERE, "bittorrent_tracker.mjs"), os.path.join(field.tools, "node_modules")]
    command.append(str(port))
    environment = {"NODE_ENV": "production"}
    return Server("node", command, field.server_core, field.folder, port, environment=environment)


def launcher_settings():
    """What the launcher gives the Node tracker."""
    with open(os.path.join(HERE, "bittorrent_tracker.mjs"), encoding="utf-8") as file:
        return re.search(r"^const settings = .*$", file.read(), re.MULTILINE)[0]


TRACKERS = {
    tracker.key: tracker
    for tracker in (
        Tracker(
            "null",
            "null server",
            get_null,
            lambda field, _torrents: field.null(),
            "nullserver --port PORT [--close] [--peers N]",
            notes=("The floor, not a tracker: it counts the ends of heads, and answers the same bytes each time.",),
        ),
        Tracker(
            "ours",
            "this one",
            get_ours,
            lambda field, _torrents: field.ours(),
            '(swarm: (interval: "30m", peer_ids: true), log: (level: "warn"))\n\n'
            "tracker --config FILE --data-dir FOLDER --workers 1 --listen 127.0.0.1:PORT",
            notes=(
                "History, statistics and snapshots are on, as they are by default, and their cost is in the figures.",
                "Bounds on what an address may do leave loopback out by default, so they are not in the figures.",
            ),
        ),
        Tracker(
            "opentracker",
            "opentracker",
            get_opentracker,
            lambda field, torrents: field.opentracker(torrents),
            "opentracker -i 127.0.0.1 -p PORT -d FOLDER -w WHITELIST",
            keep_alive=False,
            notes=(
                "It closes after each answer, so it is in the rows with a connection each, and has no idle connections.",
                "Debian builds it with a whitelist, which has all torrents that are asked for.",
            ),
        ),
        Tracker(
            "aquatic",
            "aquatic_http",
            get_aquatic,
            start_aquatic,
            AQUATIC_SETTINGS.replace("PEERS", f"{AQUATIC_PEERS} # its default; 200 in the rows that want as many"),
            notes=(
                "It is built for this processor (`-C target-cpu=native`), as its documents recommend, without metrics.",
                "It has two threads, one for sockets and one for swarms, which share the one core that it gets here.",
            ),
        ),
        Tracker(
            "torrust",
            "torrust-tracker",
            get_torrust,
            start_torrust,
            TORRUST_SETTINGS,
            notes=(
                "Statistics are off, as in the configuration that its authors use for their own benchmark.",
                "It hands out up to 74 peers even where fewer are wanted, and more where more are wanted.",
                "In its answers, the addresses of peers on loopback are replaced by its own.",
            ),
        ),
        Tracker(
            "node",
            "bittorrent-tracker",
            get_node,
            start_node,
            launcher_settings(),
            notes=(
                "It keeps the last 1,000 peers of a torrent by default, so its large swarms are smaller than others'.",
                "It hands out 82 peers at the most.",
            ),
        ),
    )
}
