"""One module per maker of a BitTorrent client; MAKERS lists them by name."""

from clients.aria2 import Aria2
from clients.libtorrent import Libtorrent
from clients.transmission import Transmission

MAKERS = {maker.name: maker for maker in (Libtorrent, Aria2, Transmission)}
