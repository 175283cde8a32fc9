//! The circuit breaker: a store that has failed several times in a row is left alone for a while.
//!
//! `state` is the state machine, pure and told the time. `circuit` is the one of a limiter, shared
//! by the layer that asks for permission and by whatever sees the store decide or fail. `layer` is
//! the [`Store`](super::interface::Store) around another one.

mod circuit;
mod layer;
mod state;

pub(crate) use self::{
    circuit::{Circuit, CircuitSettings},
    layer::CircuitBreaker,
};
