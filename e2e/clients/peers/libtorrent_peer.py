"""One libtorrent session with one torrent: libtorrent_peer.py TORRENT FOLDER HOST:PORT

Prints a line for each thing that happens, `finished` when the file is whole. SIGTERM: says `stopped` to the tracker,
waits for the answer and ends.
"""

import signal
import sys
import time

import libtorrent as lt

STEP_MS = 50
GOODBYE_STEPS = 120
LONELY_SECONDS = 2

stopping = False


def on_signal(_number, _frame):
    global stopping
    stopping = True


def print_alerts(session):
    """Prints what happened since the last call and returns it."""
    alerts = session.pop_alerts()
    for alert in alerts:
        print(f"{alert.what()}: {alert.message()}")
    return alerts


def main(torrent, folder, listen):
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    settings = {
        "listen_interfaces": listen,
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.connect_notification,
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "allow_multiple_connections_per_ip": True,
        "ssrf_mitigation": False,
        "min_announce_interval": 1,
        "stop_tracker_timeout": 5,
        "unchoke_interval": 1,
    }
    session = lt.session(settings, 0)  # 0: none of the default plugins, so no peer exchange
    handle = session.add_torrent({"ti": lt.torrent_info(torrent), "save_path": folder})
    handle.unset_flags(lt.torrent_flags.auto_managed)
    handle.resume()

    finished = False
    asked = time.monotonic()
    while not stopping:
        session.wait_for_alert(STEP_MS)
        print_alerts(session)
        status = handle.status()
        if not finished and status.is_seeding:
            finished = True
            print("finished")
        if status.num_peers == 0 and time.monotonic() - asked > LONELY_SECONDS:
            asked = time.monotonic()
            handle.force_reannounce()  # sees peers that came later sooner than the tracker asks for

    handle.pause()
    for _ in range(GOODBYE_STEPS):
        session.wait_for_alert(STEP_MS)
        if any(isinstance(alert, (lt.tracker_reply_alert, lt.tracker_error_alert)) for alert in print_alerts(session)):
            break


if __name__ == "__main__":
    main(*sys.argv[1:])
