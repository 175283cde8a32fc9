//! The counting algorithms: pure functions on the state of one key, one algorithm a file, each the
//! twin of a Lua file in `store/redis/scripts`. The in-memory store calls them; they never do I/O
//! and never read the time. All numbers are integers, and all times are microseconds.
//!
//! A `CounterState` answers three questions about one key: how long until a cost fits, what the
//! state is once it is charged, and what is left. [`State`] is the enum of all algorithms. Each
//! result is computed under the limit that is passed in, so a changed limit keeps what was used. A
//! state from the future (the clock has stepped back) does not count: that admits at most one quota
//! more and locks no identity out.
//!
//! [`PermitTable`] counts what is running and not what has started, so its functions differ.
//!
//! The cost of a charge can be changed by its receipt ([`State::settle`]): to nothing, which is a
//! refund, or to another cost, also one that does not fit. Only what the state still holds of the
//! charge changes: a later window is not touched, and a bucket gets nothing back that has drained
//! already. Where that cannot be known, less is refunded and not more. What is charged on top may
//! exceed the limit: a window then holds more than T, and a bucket owes more than C.
//!
//! A waiter for a token wakes up late, because timers are late. If its charge counted from then,
//! that lateness would be lost with each waiter, and a wait queue would get less than the limit's
//! rate. So a bucket counts such a charge
//! ([`Limit::is_in_turn`](crate::limit::Limit::is_in_turn)) from the moment at which it was full,
//! but from at most [`TIMER_SLACK`] ago. Counted like this, admissions are spaced as evenly as
//! ever, and each happens at most that much later: any interval of length W holds at most what one
//! longer by `TIMER_SLACK` would.

mod arithmetic;
mod availability;
mod bucket_charge;
mod bucket_history;
mod calendar_window;
mod concurrency;
mod counter_state;
mod debt;
mod fixed_window;
mod full_for;
mod interval_bucket;
mod leaky_bucket;
mod log_entry;
mod past_charge;
mod receipt;
mod sliding_window;
mod sliding_window_counter;
mod state;
mod stored;
mod token_bucket;

pub use self::{
    availability::{Availability, Wait},
    bucket_history::{KEPT_FOR_SETTLEMENT, MOST_CHARGES},
    concurrency::PermitTable,
    counter_state::{IDLE, TIMER_SLACK},
    full_for::FULL_FOR_SPAN,
    receipt::{Receipt, Settlement},
    state::State,
    stored::StoredState,
};

pub(crate) use self::debt::{HAS_HISTORY, IS_BEYOND};
