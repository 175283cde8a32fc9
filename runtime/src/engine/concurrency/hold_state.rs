//! The states of held permits and their transitions. The state machine is pure: callers pass the
//! time in. Only [`Renewal`](super::renewal::Renewal) calls it.

use actix_throttle_core::time::Micros;

/// The state of the permits of a hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct HoldState {
    phase: HoldPhase,
    /// Whether the store may count the permits.
    may_count: bool,
}

/// Whether the permits are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HoldPhase {
    /// The store keeps the permits until this time, by this process's clock. The time counts from
    /// before the request was sent, so it is never later than the store's own expiry.
    Held {
        until: Micros,
    },
    /// Other work may have run in its place since. A later renewal cannot undo that: exclusivity
    /// can no longer be promised.
    Lost,
    Released,
}

impl HoldState {
    pub(super) fn new(until: Micros, may_count: bool) -> Self {
        let phase = HoldPhase::Held { until };
        Self { phase, may_count }
    }

    /// Whether all permits are certain: none was lost, and all were renewed in time.
    pub(super) fn is_valid(&self, now: Micros) -> bool {
        matches!(self.phase, HoldPhase::Held { until } if now < until)
    }

    pub(super) fn may_count(&self) -> bool {
        self.may_count
    }

    /// Reports that a renewal may have reached the store.
    pub(super) fn renewal_sent(&mut self) {
        self.may_count = true;
    }

    /// Reports the result of a renewal at `now`: whether all permits are kept, and until when.
    pub(super) fn renewed(&mut self, is_kept: bool, until: Micros, now: Micros) {
        if let HoldPhase::Held { until: before } = self.phase {
            self.phase = if is_kept && now < before {
                HoldPhase::Held {
                    until: before.max(until),
                }
            } else {
                HoldPhase::Lost
            };
        }
    }

    /// Reports that the permits are released. Returns whether they were not before.
    pub(super) fn released(&mut self) -> bool {
        std::mem::replace(&mut self.phase, HoldPhase::Released) != HoldPhase::Released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_in_time_extends_and_never_shortens() {
        let mut state = HoldState::new(100, true);
        assert!(state.is_valid(99) && !state.is_valid(100));
        state.renewed(true, 150, 99);
        state.renewed(true, 120, 110);
        assert!(state.is_valid(149) && !state.is_valid(150));
    }

    #[test]
    fn lost_permit_stays_lost() {
        let late = |state: &mut HoldState| state.renewed(true, 300, 100);
        let refused = |state: &mut HoldState| state.renewed(false, 300, 50);
        for lose in [late, refused] {
            let mut state = HoldState::new(100, true);
            lose(&mut state);
            state.renewed(true, 400, 60);
            assert!(!state.is_valid(60), "{state:?}");
        }
    }

    #[test]
    fn permits_are_released_once() {
        let mut state = HoldState::new(100, false);
        assert!(!state.may_count());
        state.renewal_sent();
        assert!(state.released() && state.may_count());
        // The reply to a renewal arrives after the release.
        state.renewed(true, 200, 50);
        assert!(!state.released() && !state.is_valid(50), "{state:?}");
    }
}
