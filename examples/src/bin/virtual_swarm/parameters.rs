//! The table of the model's parameters: what each is, and its source or its reason.

use crate::model::Model;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) reason: &'static str,
}

/// The table, with what the parameters are in this model.
pub(crate) fn parameters(model: &Model) -> Vec<Parameter> {
    let classes = model
        .classes
        .map(|class| format!("{:.0} %: {:.0} down, {:.0} up", class.share * 100.0, class.down, class.up));
    let minutes = |seconds: f64| format!("{:.0} min", seconds / 60.0);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let line = |name, value, reason| Parameter { name, value, reason };
    vec![
        line(
            "interval",
            minutes(model.interval.into()),
            "The tracker's default. A leecher with few connections asks again after half of it, the default of \
                 `min_interval`.",
        ),
        line(
            "peer_timeout",
            minutes(model.peer_timeout.into()),
            "The tracker's default: one and a half intervals.",
        ),
        line("sweep", format!("{} s", model.sweep), "The tracker expires peers every 10 s."),
        line(
            "numwant",
            model.numwant.to_string(),
            "What a client is given that does not say: the tracker's `default_numwant`.",
        ),
        line("jitter", format!("up to {} s late", model.jitter), "Timers and round trips. Assumed."),
        line(
            "arrivals",
            format!(
                "daily: swing ±{}; flash: decay {}",
                percent(model.daily_swing),
                minutes(model.flash_decay)
            ),
            "Interest in a new torrent falls exponentially (Guo et al., Measurements, Analysis, and Modeling of \
                 BitTorrent-like Systems, 2005), here made harder than theirs: two thirds come within one decay. \
                 The swing is assumed: evenings are busier than mornings.",
        ),
        line(
            "torrents",
            format!("{}, popularity ∝ 1/rank^{}", model.torrents, model.popularity),
            "A hundred peers a torrent on the average (flash: one torrent); Zipf: one very large, many tiny. \
                 The exponent 1 is the plain law, assumed.",
        ),
        line(
            "publisher",
            format!("1 a torrent, {:.0} Mbit/s up", model.publisher_up),
            "Somebody has the whole content and stays, so that everybody can complete: a rented server.",
        ),
        line(
            "networks",
            format!(
                "{} autonomous systems, sizes ∝ 1/rank^{}, {} /24s",
                model.networks, model.network_sizes, model.subnets
            ),
            "With 1,000 of them the largest holds 13 % of all peers, as a large national provider would; a \
                 network has /24s as it has peers, one behind the other. Assumed: Zipf's law is the plainest for \
                 sizes of providers.",
        ),
        line(
            "capacities",
            format!("{} Mbit/s", classes.join("; ")),
            "DSL, cable, fibre: three common tariffs. Assumed; what matters is that they are asymmetric and \
                 that the fastest is twenty times the slowest.",
        ),
        line(
            "content",
            format!("{:.0} MiB, {:.0} pieces", model.size, model.pieces),
            "A film, or a distribution's image, in pieces of a mebibyte. Assumed.",
        ),
        line(
            "connections",
            format!("{}; opens up to {}", model.connections, model.opens_to()),
            "A peer accepts up to the limit and opens up to half of it, as the mainline client with 80 and 40 \
                 (Legout et al., Rarest First and Choke Algorithms Are Enough, 2006), so that newcomers find open \
                 doors.",
        ),
        line(
            "few",
            format!("fewer than {} connections", model.few()),
            "Then a leecher asks the tracker again early. Assumed: a tenth of the limit.",
        ),
        line(
            "nat",
            percent(model.nat),
            "Peers that can open connections and not accept them: \"a large proportion\" in a typical swarm (Csernai et \
                 al., Modeling Unconnectable Peers in Private BitTorrent Communities, 2011). The figure is assumed; vary \
                 it with `--nat`.",
        ),
        line(
            "vanish",
            percent(model.vanish),
            "Peers that go without `stopped`: crashes, closed lids, lost packets. Assumed. Vary it with \
                 `--vanish`.",
        ),
        line(
            "impatient",
            format!("{}, after {} on average", percent(model.impatient), minutes(model.patience)),
            "Peers that give up, if they have not completed by then. Assumed.",
        ),
        line(
            "seeding",
            format!("{:.1} h on average, exponential", model.seeding / 3600.0),
            "Chosen so that 1,000,000 peers a day are about 100,000 at a time.",
        ),
        line(
            "slots",
            format!("{}: {} fastest, 1 at random", model.slots, model.slots.saturating_sub(1)),
            "Regular and optimistic unchokes of the mainline client (Cohen, Incentives Build Robustness in \
                 BitTorrent, 2003).",
        ),
        line(
            "round",
            format!("{} s", model.round),
            "How often clients decide anew whom to send to (the same). Here all of a torrent do it at the same \
                 moment, and the random one is drawn anew each time.",
        ),
    ]
}
