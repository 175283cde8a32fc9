//! [`Demand`]: what a caller wants to acquire, which a wait expands into alternatives.

use actix_throttle_core::{
    identity::Identity,
    limit::{Concurrency, Limit},
};

use crate::engine::{concurrency::OwnedCharge, error::RateLimitError, handle::Engine};

/// The maximum number of alternatives that a demand may have.
const MAX_ALTERNATIVES: usize = 64;

/// A demand: one limit, all of several demands, or any of several.
///
/// Made of a limit and an identity, of a [`Semaphore`](crate::Semaphore), and of other demands.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{Demand, Limit, RateLimiter};
///
/// const OVERALL: Limit = Limit::per_minute(3).name("overall");
/// const FAST: Limit = Limit::per_minute(1).name("fast");
/// const SLOW: Limit = Limit::per_minute(5).name("slow");
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let either = Demand::any([Demand::of(&FAST, "job"), Demand::of(&SLOW, "job")]);
/// let demand = Demand::all([Demand::of(&OVERALL, "job"), either]);
///
/// // By the fast limit, then by the slow one, until the overall limit is used up.
/// for _ in 0..3 {
///     assert!(limiter.acquire_for(demand.clone()).try_now().await?.is_some());
/// }
/// assert!(limiter.acquire_for(demand).try_now().await?.is_none());
/// assert_eq!(limiter.remaining(&SLOW, "job").await?, 3);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is acquired until a limiter is asked for it"]
#[non_exhaustive]
pub enum Demand {
    /// One charge of a rate.
    #[doc(hidden)]
    Rate(Limit, Identity, u32),
    /// That no block is in force. It charges nothing, neither now nor by a settlement.
    #[doc(hidden)]
    Unblocked(Limit, Identity),
    /// One permit of a concurrency limit.
    #[doc(hidden)]
    Permit(Concurrency, Identity),
    /// All of these demands, charged together, or nothing.
    All(Vec<Demand>),
    /// The first demand that can be met at once; else the first that can be met at all.
    Any(Vec<Demand>),
}

impl Demand {
    /// Demands room under a limit, at the limit's own cost.
    pub fn of(limit: &Limit, identity: impl Into<Identity>) -> Self {
        Self::Rate(*limit, identity.into(), limit.cost_value())
    }

    /// Demands one permit of a concurrency limit, held for as long as the acquired permit lives.
    pub fn permit(limit: &Concurrency, identity: impl Into<Identity>) -> Self {
        Self::Permit(*limit, identity.into())
    }

    /// Demands all of these or nothing, in one decision.
    pub fn all<D: Into<Self>>(demands: impl IntoIterator<Item = D>) -> Self {
        Self::All(demands.into_iter().map(Into::into).collect())
    }

    /// Demands the first of these that can be met.
    pub fn any<D: Into<Self>>(demands: impl IntoIterator<Item = D>) -> Self {
        Self::Any(demands.into_iter().map(Into::into).collect())
    }

    /// Returns every alternative that meets the demand, in order of preference.
    pub(crate) fn alternatives(&self, engine: &Engine) -> Result<Alternatives, RateLimitError> {
        let failure_mode = engine.settings().failure_mode;
        let alternatives: Alternatives = match self {
            Self::Rate(limit, identity, cost) => {
                let is_estimate = limit.has_cost() || *cost != 1;
                let limit = if is_estimate {
                    limit.for_settlement()
                } else {
                    *limit
                };
                let one = OwnedCharge::rate(limit, identity.clone(), *cost, failure_mode);
                vec![vec![one]]
            }
            Self::Unblocked(limit, identity) => {
                let one = OwnedCharge::unblocked(*limit, identity.clone(), failure_mode);
                vec![vec![one]]
            }
            Self::Permit(limit, identity) => {
                vec![vec![OwnedCharge::concurrency(
                    *limit,
                    identity.clone(),
                    failure_mode,
                )]]
            }
            Self::Any(demands) | Self::All(demands) if demands.is_empty() => Alternatives::new(),
            Self::Any(demands) => {
                let mut alternatives = Alternatives::new();
                for demand in demands {
                    alternatives.extend(demand.alternatives(engine)?);
                }
                alternatives
            }
            Self::All(demands) => {
                let mut alternatives: Alternatives = vec![Vec::new()];
                for demand in demands {
                    let more = demand.alternatives(engine)?;
                    if alternatives.len().saturating_mul(more.len()) > MAX_ALTERNATIVES {
                        return Err(RateLimitError::InvalidDemand);
                    }
                    alternatives = cartesian(&alternatives, &more);
                }
                alternatives
            }
        };
        match alternatives.len() {
            0 => Err(RateLimitError::InvalidDemand),
            1..=MAX_ALTERNATIVES => Ok(alternatives),
            _ => Err(RateLimitError::InvalidDemand),
        }
    }
}

pub(crate) type Alternatives = Vec<Vec<OwnedCharge>>;

fn cartesian(alternatives: &Alternatives, more: &Alternatives) -> Alternatives {
    let both = |alternative: &Vec<OwnedCharge>, other: &Vec<OwnedCharge>| {
        alternative.iter().chain(other).cloned().collect()
    };
    alternatives
        .iter()
        .flat_map(|alternative| more.iter().map(move |other| both(alternative, other)))
        .collect()
}

impl<I: Into<Identity>> From<(&Limit, I)> for Demand {
    fn from((limit, identity): (&Limit, I)) -> Self {
        Self::of(limit, identity)
    }
}

impl<I: Into<Identity>> From<(&Concurrency, I)> for Demand {
    fn from((limit, identity): (&Concurrency, I)) -> Self {
        Self::permit(limit, identity)
    }
}

impl<D: Into<Demand> + Clone> From<&[D]> for Demand {
    /// Demands all of these.
    fn from(demands: &[D]) -> Self {
        Self::all(demands.iter().cloned())
    }
}
