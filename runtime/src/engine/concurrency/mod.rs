//! Concurrency permits: charged together with the rates of a check, renewed by a task while they
//! are held, and released when the hold is dropped, however the request ends.

mod acquire_once;
mod grant;
mod hold;
mod hold_state;
mod owned_charge;
mod permit;
mod renewal;
mod semaphore;
mod semaphore_guard;

pub(super) use self::owned_charge::check;
pub(crate) use self::{
    grant::Granted,
    hold::PermitHold,
    owned_charge::{MaxWait, OwnedCharge},
};
pub use self::{permit::Permit, semaphore::Semaphore, semaphore_guard::SemaphoreGuard};
