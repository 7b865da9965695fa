//! What a client means can be written in many ways, and is answered in one.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tracker_http::{Conversation, TrackerService};

use crate::asks::{sound_ask, sound_scrape};
use crate::cases;
use crate::grammar::{asker, setup};
use crate::wire::{Ask, Field, Param, Taste};
use crate::world::{Setup, World};

/// The answers to requests of one connection.
fn answers(setup: &Setup, asker: std::net::IpAddr, requests: &[Vec<u8>]) -> Vec<u8> {
    let world = World::new(setup);
    let service = TrackerService::new(&world.tracker, world.rules.clone(), &world.access);
    let mut conversation = Conversation::new(&service, asker, &setup.settings());
    conversation.context_mut().now = world.now();
    let mut out = Vec::new();
    conversation.feed(&requests.concat(), &mut out);
    out
}

/// A request, and the same in another order, with more that means nothing, in another taste.
fn twice() -> BoxedStrategy<(Vec<u8>, Vec<u8>)> {
    let ask = prop_oneof![4 => sound_ask(), 1 => sound_scrape()];
    (ask, vec(any::<u8>(), 0..100))
        .prop_flat_map(|(ask, taste)| {
            let orders = (Just(ask.query.clone()).prop_shuffle(), Just(ask.fields.clone()).prop_shuffle());
            let more =
                (proptest::option::of(nothing()), any::<Index>(), proptest::option::of(any::<Index>()));
            (orders, more).prop_map(move |((mut query, mut fields), (param, at, at_field))| {
                if let Some(param) = param {
                    query.insert(at.index(query.len() + 1), param);
                }
                if let Some(at) = at_field {
                    let field = Field::Of("X-Nothing".to_owned(), "Host: Connection: close".to_owned());
                    fields.insert(at.index(fields.len() + 1), field);
                }
                let other = Ask { query, fields, ..ask.clone() };
                (ask.write(Taste::new(&[])), other.write(Taste::new(&taste)))
            })
        })
        .boxed()
}

/// A parameter that nobody asked for.
fn nothing() -> BoxedStrategy<Param> {
    let raw = [
        "",
        "x",
        "Port=1",
        "left2=0",
        "%6ceft=0",
        "eft=0",
        "no_peer_idd=1",
        "infohash=x",
        "info_hash",
        "event",
        "a=b=c",
    ];
    select(raw.to_vec()).prop_map(|raw| Param::Raw(raw.to_owned())).boxed()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn however_it_is_written_the_answers_are_the_same(
        setup in setup().prop_map(|setup| Setup { is_narrow: false, ..setup }),
        asker in asker(),
        requests in vec(twice(), 1..5),
    ) {
        let (usual, other): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let (found, expected) = (answers(&setup, asker, &other), answers(&setup, asker, &usual));
        prop_assert!(
            found == expected,
            "to {}\n\n{}\n\nbut to {}\n\n{}\n",
            other.concat().escape_ascii(),
            found.escape_ascii(),
            usual.concat().escape_ascii(),
            expected.escape_ascii()
        );
    }
}
