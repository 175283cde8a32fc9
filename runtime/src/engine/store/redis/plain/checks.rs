//! The plain checks of one batch, without the texts of their keys: which are equal, which share
//! keys, and under which limits they are. The builder fills it and the call is packed from it.

use actix_throttle_core::{
    check::{Charge, Check, Mode},
    limit::{Counting, Limit, LimitRef},
};

/// The most limits that a check may have to be plain: the script counts them in a byte.
const MOST_LIMITS: usize = 255;
/// The most keys of a batch: a Lua call takes a limited number of arguments.
const MOST_KEYS: usize = 1_000;
/// The kind of no check.
const NONE: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(crate) struct PlainChecks {
    limits: Vec<PlainLimit>,
    /// The keys, by their indices from 0.
    keys: Vec<PlainKey>,
    /// The charges of all kinds of checks, one after the other.
    charges: Vec<PlainCharge>,
    kinds: Vec<CheckKind>,
    /// The kind of each check.
    checks: Vec<u32>,
    /// The number of forms.
    forms: u32,
    /// Whether checks of different kinds have a key in common, so that their order matters.
    has_shared_keys: bool,
}

/// A limit with all numbers by which the script decides.
#[derive(Debug)]
pub(crate) struct PlainLimit {
    pub(crate) limit: Limit,
    /// The code of the algorithm in the script.
    pub(crate) code: u8,
    /// The quota. A leaky bucket holds one request, whatever its cost, so this is the cost.
    pub(crate) quota: u32,
    /// The number of keys.
    pub(crate) keys: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainKey {
    /// The index of the key's limit.
    pub(crate) limit: u32,
    /// The key's index among those of its limit, from 0.
    pub(crate) rank: u32,
    /// The kind of the latest check that has the key.
    latest: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainCharge {
    /// The index of the key, from 0.
    pub(crate) key: u32,
    pub(crate) cost: u32,
}

/// Checks that are equal and can be decided together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckKind {
    start: u32,
    end: u32,
    /// Checks of one form have equal limits and costs.
    pub(crate) form: u32,
}

impl PlainChecks {
    /// Adds a check, and returns whether it was added: it must be plain, and none of its keys may
    /// be under another limit here. `index_of` gives the index of a charge's key, from 0 and
    /// without a gap.
    pub(crate) fn add<'a>(
        &mut self,
        check: &Check<'a>,
        mut index_of: impl FnMut(&Charge<'a>) -> usize,
    ) -> bool {
        let is_plain = check.mode == Mode::Charge
            && (1..=MOST_LIMITS).contains(&check.charges.len())
            && self.keys.len() + check.charges.len() <= MOST_KEYS
            && check.charges.iter().all(|charge| code_of(charge).is_some());
        let start = self.charges.len();
        if !is_plain
            || !check
                .charges
                .iter()
                .all(|charge| self.push(charge, &mut index_of))
        {
            self.charges.truncate(start);
            return false;
        }
        self.classify(start);
        true
    }

    fn push<'a>(
        &mut self,
        charge: &Charge<'a>,
        index_of: &mut impl FnMut(&Charge<'a>) -> usize,
    ) -> bool {
        let Some(limit) = self.limit_of(charge) else {
            return false;
        };
        let key = index_of(charge);
        if key == self.keys.len() {
            let Some(of) = self.limits.get_mut(limit) else {
                return false;
            };
            self.keys.push(PlainKey {
                limit: number(limit),
                rank: of.keys,
                latest: NONE,
            });
            of.keys += 1;
        }
        // A key under several limits, as while `times` changes, is for the general script.
        let is_under = |known: &PlainKey| known.limit == number(limit);
        if !self.keys.get(key).is_some_and(is_under) {
            return false;
        }
        self.charges.push(PlainCharge {
            key: number(key),
            cost: charge.cost,
        });
        true
    }

    /// The index of the charge's limit; `None` if the charge is not plain.
    fn limit_of(&mut self, charge: &Charge<'_>) -> Option<usize> {
        let (limit, code, quota) = code_of(charge)?;
        let is_same = |known: &PlainLimit| {
            (known.code, known.quota) == (code, quota)
                && known.limit.times() == limit.times()
                && known.limit.window_micros() == limit.window_micros()
                && known.limit.block_micros() == limit.block_micros()
                && LimitRef::Rate(&known.limit).steps() == charge.limit.steps()
        };
        let known = self.limits.iter().position(is_same);
        Some(known.unwrap_or_else(|| {
            self.limits.push(PlainLimit {
                limit: *limit,
                code,
                quota,
                keys: 0,
            });
            self.limits.len() - 1
        }))
    }

    /// Finds the kind of the check whose charges are those from `start` on. It is that of an equal
    /// one, unless a check of another kind that has one of its keys has come in between.
    fn classify(&mut self, start: usize) {
        let charges = &self.charges[start..];
        let mut latest = charges.iter().map(|charge| self.key(charge).latest);
        let first = latest.next().unwrap_or(NONE);
        let are_one = latest.clone().all(|kind| kind == first);
        let has_known = first != NONE || latest.any(|kind| kind != NONE);
        if are_one && first != NONE && self.charges(first) == charges {
            self.charges.truncate(start);
            self.checks.push(first);
            return;
        }
        self.has_shared_keys |= has_known;
        let kind = number(self.kinds.len());
        let form = self.form_of(charges);
        self.forms = self.forms.max(form + 1);
        self.kinds.push(CheckKind {
            start: number(start),
            end: number(self.charges.len()),
            form,
        });
        for charge in &self.charges[start..] {
            if let Some(key) = self.keys.get_mut(charge.key as usize) {
                key.latest = kind;
            }
        }
        self.checks.push(kind);
    }

    /// The form of a check: that of a kind with equal limits and costs, or a new one.
    fn form_of(&self, charges: &[PlainCharge]) -> u32 {
        let shape = |charge: &PlainCharge| (self.key(charge).limit, charge.cost);
        // Most checks have the form of the one before.
        let mut known = self.kinds.iter().rev();
        let same = known.find(|kind| {
            let of_kind = self.of(kind).iter().map(shape);
            of_kind.eq(charges.iter().map(shape))
        });
        same.map_or(self.forms, |kind| kind.form)
    }

    pub(crate) fn key(&self, charge: &PlainCharge) -> PlainKey {
        const UNKNOWN: PlainKey = PlainKey {
            limit: 0,
            rank: 0,
            latest: NONE,
        };
        let key = self.keys.get(charge.key as usize);
        key.copied().unwrap_or(UNKNOWN)
    }

    pub(crate) fn is_leaky(&self, charge: &PlainCharge) -> bool {
        let limit = self.limits.get(self.key(charge).limit as usize);
        limit.is_some_and(|limit| limit.limit.counting() == Counting::LeakyBucket)
    }

    /// The number of checks.
    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }

    pub(crate) fn limits(&self) -> &[PlainLimit] {
        &self.limits
    }

    pub(crate) fn keys(&self) -> &[PlainKey] {
        &self.keys
    }

    pub(crate) fn kinds(&self) -> &[CheckKind] {
        &self.kinds
    }

    /// The kind of each check.
    pub(crate) fn checks(&self) -> &[u32] {
        &self.checks
    }

    pub(crate) fn has_shared_keys(&self) -> bool {
        self.has_shared_keys
    }

    /// The charges of a kind of checks.
    pub(crate) fn charges(&self, kind: u32) -> &[PlainCharge] {
        let kind = self.kinds.get(kind as usize);
        kind.map_or(&[], |kind| self.of(kind))
    }

    pub(crate) fn of(&self, kind: &CheckKind) -> &[PlainCharge] {
        let range = kind.start as usize..kind.end as usize;
        self.charges.get(range).unwrap_or_default()
    }

    /// The charges of each check: the key's index from 1, the limit and the cost.
    pub(crate) fn iter(
        &self,
    ) -> impl Iterator<Item = impl ExactSizeIterator<Item = (u64, &Limit, u32)>> {
        self.checks.iter().map(|kind| {
            self.charges(*kind).iter().map(|charge| {
                let limit = &self.limits[self.key(charge).limit as usize].limit;
                (u64::from(charge.key) + 1, limit, charge.cost)
            })
        })
    }
}

/// The limit of a plain charge, its code in the script and its quota there; `None` if the charge is
/// not plain.
fn code_of<'a>(charge: &Charge<'a>) -> Option<(&'a Limit, u8, u32)> {
    let LimitRef::Rate(limit) = charge.limit else {
        return None;
    };
    let is_plain = charge.cost > 0
        && charge.cost <= limit.quota()
        && !limit.is_shadow()
        // A charge in its turn may count from a moment ago.
        && !limit.is_in_turn()
        && !limit.is_for_settlement();
    if !is_plain {
        return None;
    }
    let counting = limit.counting();
    let quota = match counting {
        Counting::LeakyBucket => charge.cost,
        // The periods of such a limit are packed with it, for the general script.
        Counting::Calendar => return None,
        _ => limit.quota(),
    };
    Some((limit, counting.code(), quota))
}

/// A number of things in a batch, which are far fewer than 2^32.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}
