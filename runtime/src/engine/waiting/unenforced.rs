//! Acquisition while limits are not enforced: it never waits. `wait` calls it.

use actix_throttle_core::{check::Mode, enforcement::Enforcement};

use crate::engine::{
    concurrency::{Granted, OwnedCharge, check},
    error::RateLimitError,
    handle::Engine,
};

/// Acquires without waiting if limits are not enforced. `None` if they are.
///
/// Under `Shadow`, that is the first alternative that has room, else the first one.
pub(super) async fn acquire_unenforced(
    engine: &Engine,
    alternatives: &[Vec<OwnedCharge>],
) -> Result<Option<Granted>, RateLimitError> {
    match engine.enforcement() {
        Enforcement::On => return Ok(None),
        Enforcement::Shadow => {}
        _ => return Ok(Some(Granted::unlimited())),
    }
    let mut chosen = alternatives.first().ok_or(RateLimitError::InvalidDemand)?;
    if alternatives.len() > 1 {
        for alternative in alternatives {
            let decision = engine.peek_charges(&unenforced(alternative)).await?;
            if !decision.limits().iter().any(|limit| limit.is_exceeded()) {
                chosen = alternative;
                break;
            }
        }
    }
    let wanted = unenforced(chosen);
    let mut granted = engine.acquire_once(wanted.clone()).await;
    if let Ok(granted) = &mut granted {
        granted.is_told = true;
    }
    if engine.observers().is_heard() {
        let decided = granted.as_ref().map(|granted| &granted.decision);
        engine.tell_decided(&check(Mode::Charge, &wanted), decided);
    }
    granted.map(Some)
}

fn unenforced(alternative: &[OwnedCharge]) -> Vec<OwnedCharge> {
    alternative.iter().map(OwnedCharge::unenforced).collect()
}
