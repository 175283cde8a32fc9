//! Rules and named limits from a file: what is wrong with one, what a right one does, and how one
//! takes the place of another.

mod attribute;
mod load;
mod lost;
mod mistakes;
mod named;
mod reload;
mod rules;
mod running;
mod watch;
