//! Requests that have a time of their own, whether or not those before them are answered.

/// A request every so often. Nanoseconds on the engine's clock.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    rate: u64,
    begin: u64,
    /// Requests that were taken since then.
    pub(crate) taken: u64,
}

impl Pace {
    /// So many a second.
    pub(crate) fn new(rate: u32) -> Pace {
        Pace { rate: rate.into(), begin: 0, taken: 0 }
    }

    /// The first one is due now.
    pub(crate) fn start(&mut self, now: u64) {
        (self.begin, self.taken) = (now, 0);
    }

    /// When the request of this number is due.
    pub(crate) fn moment(&self, number: u64) -> u64 {
        self.begin + (u128::from(number) * 1_000_000_000).div_ceil(u128::from(self.rate)) as u64
    }

    /// Requests that are due and not taken yet.
    pub(crate) fn due(&self, now: u64) -> u64 {
        let since = u128::from(now.saturating_sub(self.begin));
        let all = (since * u128::from(self.rate) / 1_000_000_000) as u64 + 1;
        all.saturating_sub(self.taken)
    }

    /// How long it takes until one is due.
    pub(crate) fn wait(&self, now: u64) -> u64 {
        self.moment(self.taken).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_due_at_its_moment() {
        for rate in [1, 3, 2_000, 999_983] {
            let mut pace = Pace::new(rate);
            pace.start(5);
            for number in 0..1_000 {
                let moment = pace.moment(number);
                assert_eq!((pace.due(moment), pace.wait(moment)), (1, 0), "{number} at {rate} a second");
                assert_eq!(pace.due(moment - 1), u64::from(number == 0), "{number} at {rate} a second");
                pace.taken += 1;
            }
            assert_eq!(pace.moment(u64::from(rate)), 5 + 1_000_000_000);
            assert_eq!(pace.due(5 + 2_000_000_000), (2 * u64::from(rate) + 1).saturating_sub(1_000));
        }
    }
}
