//! Periods of the calendar, such as the month in Berlin, and the moments at which they begin and
//! end. Limits name them, and the algorithm and the call builder of Redis ask for the moments. A
//! moment's period is a function of the moment, the period and the time zone: nothing here reads a
//! clock, a file or the machine's zone.

mod boundaries;
mod period;
#[cfg(test)]
mod tests;
mod time_zone;

pub use self::{boundaries::Boundaries, period::Period, time_zone::TimeZone};
