//! The circuit breaker: after several failures in a row, a store is not called for a while.
//!
//! `state` is the state machine, which is pure and gets the time passed in. `circuit` is the
//! circuit of one limiter; the layer asks it for permission, and the connections report results to
//! it. `layer` is the [`Store`](super::interface::Store) around another store.

mod circuit;
mod layer;
mod state;

pub(crate) use self::{
    circuit::{Circuit, CircuitSettings},
    layer::CircuitBreaker,
};
