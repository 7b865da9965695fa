use super::*;
use crate::dice::Dice;

const ALL: Groups = Group::Peer4.bit();

/// `peers` peers, of whom `want` are handed out `times` times by `choose`.
fn run(peers: u32, want: usize, times: u32, mut choose: impl FnMut(&mut Vec<u32>)) -> Outcome {
    let mut odds = Odds::default();
    let mut lucks = vec![Luck::default(); peers as usize];
    lucks.iter_mut().for_each(|luck| luck.turn(&odds, false, 0, ALL));
    for time in 0..times {
        let asker = time % peers;
        let mut others: Vec<u32> = (0..peers).filter(|&peer| peer != asker).collect();
        choose(&mut others);
        let chance = odds.note(false, false, want as u32, peers - 1);
        lucks[asker as usize].pass(chance);
        others[..want].iter().for_each(|&peer| lucks[peer as usize].take());
    }
    lucks.iter_mut().for_each(|luck| luck.turn(&odds, false, ALL, 0));
    judge(lucks.iter())
}

fn shuffle(others: &mut [u32], dice: &mut Dice) {
    for at in (1..others.len()).rev() {
        others.swap(at, dice.below(at as u64 + 1) as usize);
    }
}

#[test]
fn a_fair_choice_is_never_accused() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed, 0);
        let (peers, want) = (10 + dice.below(60) as u32, 1 + dice.below(8) as usize);
        let outcome = run(peers, want, 2000, |others| shuffle(others, &mut dice));
        assert!(!outcome.is_uneven && outcome.favourite.is_none(), "seed {seed}: {outcome:?}");
        assert!(outcome.peers == u64::from(peers), "{outcome:?}");
    }
}

#[test]
fn the_same_peers_first_are_found() {
    let outcome = run(50, 10, 500, |_| {});
    assert!(outcome.is_uneven && outcome.favourite.is_some(), "{outcome:?}");
}

#[test]
fn one_favourite_among_many_is_found() {
    let mut dice = Dice::new(1, 0);
    let outcome = run(300, 10, 3000, |others| {
        shuffle(others, &mut dice);
        if let Some(at) = others.iter().position(|&peer| peer == 42).filter(|_| dice.chance(0.2)) {
            others.swap(0, at);
        }
    });
    assert!(outcome.favourite.is_some_and(|(peer, ..)| peer == 42), "{outcome:?}");
}

#[test]
fn a_slight_leaning_is_found_by_all_together() {
    let mut dice = Dice::new(2, 0);
    // every tenth time the first half of them only
    let outcome = run(200, 20, 20_000, |others| {
        shuffle(others, &mut dice);
        if dice.chance(0.2) {
            others.sort_by_key(|&peer| peer >= 100);
        }
    });
    assert!(outcome.is_uneven, "{outcome:?}");
}

#[test]
fn nothing_to_choose_from_is_no_test() {
    assert_eq!(run(5, 4, 100, |_| {}).peers, 0);
}
