//! Replay: what limits would have admitted of requests that are known, such as those of an access
//! log. It decides by the same [`decide`](crate::decide) as the in-memory store, over plain hash
//! maps, and takes each time from its caller.

mod error;
mod simulation;
mod states;

pub use self::{
    error::SimulationError,
    simulation::{LimitReport, SimulatedLimit, SimulatedRequest, Simulation},
    states::HashStates,
};
