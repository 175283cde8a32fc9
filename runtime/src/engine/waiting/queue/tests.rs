//! Polls and refunds that meet: a refund is never forgotten, whenever it comes.

use actix_throttle_core::{identity::Identity, limit::Limit};
use futures_util::FutureExt;

use super::*;
use crate::engine::clock::{Clock, ManualClock};

const RATE: Limit = Limit::per_hour(1);
const AN_HOUR: Micros = 3_600_000_000;
/// The longest pause between two polls, with its jitter.
const IN_BETWEEN: Micros = 1_500_000;

struct Fixture {
    queues: WaitQueues,
    clock: Clock,
    manual: ManualClock,
    identity: Identity,
}

impl Fixture {
    fn new() -> Self {
        let manual = ManualClock::new();
        Self {
            queues: WaitQueues::default(),
            clock: Clock::Manual(manual.clone()),
            manual,
            identity: "ann".into(),
        }
    }

    fn key(&self) -> Key<'_> {
        Key::counter(&self.identity, &RATE)
    }

    fn now(&self) -> Micros {
        self.clock.now()
    }

    fn advance(&self, micros: Micros) {
        self.manual
            .advance(std::time::Duration::from_micros(micros));
    }

    /// Adds a waiter that was denied after so many refunds.
    fn join(&self, refunds: u64) -> (Ticket<'_>, Option<Turn>) {
        let priority = self.queues.register(0);
        self.queues
            .enqueue(&self.key(), priority, refunds, self.now())
    }

    /// Adds a waiter whose turn to poll has come.
    fn polling(&self) -> (Ticket<'_>, Turn) {
        let (ticket, _) = self.join(self.queues.refunds());
        let turn = self.turn(&ticket).expect("the first waiter polls at once");
        (ticket, turn)
    }

    fn turn(&self, ticket: &Ticket<'_>) -> Option<Turn> {
        ticket.turn(&self.clock).now_or_never()
    }

    fn refund(&self) {
        self.queues.notify(&self.key(), self.now());
    }
}

#[test]
fn refund_during_a_denied_poll_leads_to_another_poll() {
    let fixture = Fixture::new();
    let (ticket, turn) = fixture.polling();
    fixture.refund();
    ticket.must_wait(turn, AN_HOUR, fixture.now(), fixture.now());
    let turn = fixture.turn(&ticket).expect("it polls again");
    ticket.must_wait(turn, AN_HOUR, fixture.now(), fixture.now());
    assert!(
        fixture.turn(&ticket).is_none(),
        "nothing was refunded since"
    );
    let priority = fixture.queues.register(0);
    let ahead = fixture.queues.ahead(&fixture.key(), priority);
    assert_eq!(ahead.certain_from, Some(fixture.now() + AN_HOUR));
}

#[test]
fn refund_during_a_granted_poll_is_the_next_waiters() {
    let fixture = Fixture::new();
    let (first, turn) = fixture.polling();
    let (second, _) = fixture.join(0);
    fixture.refund();
    first.served(turn, Next::In(AN_HOUR), fixture.now());
    assert!(fixture.turn(&second).is_some());
}

#[test]
fn refund_before_denied_caller_joins_leads_to_another_poll() {
    let fixture = Fixture::new();
    let refunds = fixture.queues.refunds();
    fixture.refund();
    let (ticket, turn) = fixture.join(refunds);
    assert!(turn.is_none(), "the denial may predate the refund");
    assert!(fixture.turn(&ticket).is_some());
    drop(ticket);
    // The denial counts if nothing was refunded.
    let (ticket, turn) = fixture.join(fixture.queues.refunds());
    let denial = turn.expect("its denial");
    ticket.must_wait(denial, AN_HOUR, fixture.now(), fixture.now());
    assert!(fixture.turn(&ticket).is_none());
}

#[test]
fn long_wait_is_interrupted_by_polls_and_keeps_its_promise() {
    const ROUND_TRIP: Micros = 700;
    let fixture = Fixture::new();
    let (ticket, mut turn) = fixture.polling();
    let mut end = fixture.now() + AN_HOUR + ROUND_TRIP;
    for _ in 0..3 {
        let sent = fixture.now();
        let wait = end.min(fixture.now() + AN_HOUR) - sent;
        fixture.advance(ROUND_TRIP);
        ticket.must_wait(turn, wait, sent, fixture.now());
        assert!(fixture.turn(&ticket).is_none());
        fixture.advance(IN_BETWEEN);
        turn = fixture.turn(&ticket).expect("a poll in between");
        let newcomer = fixture.queues.register(0);
        let ahead = fixture.queues.ahead(&fixture.key(), newcomer);
        assert_eq!(ahead.certain_from, Some(end), "newcomers know the wait");
    }
    end -= 3;
    fixture.manual.set(std::time::Duration::from_micros(end));
    ticket.must_wait(turn, 3, end, end);
    fixture.advance(2);
    assert!(fixture.turn(&ticket).is_none());
    fixture.advance(1);
    assert!(fixture.turn(&ticket).is_some(), "the last poll is in time");
}

#[test]
fn reset_wakes_the_waiters_of_its_zone() {
    let fixture = Fixture::new();
    let wait = |limit: &'static Limit| {
        let key = Key::counter(&fixture.identity, limit);
        let (ticket, _) = fixture
            .queues
            .enqueue(&key, fixture.queues.register(0), 0, 0);
        let turn = fixture
            .turn(&ticket)
            .expect("the first waiter polls at once");
        ticket.must_wait(turn, AN_HOUR, fixture.now(), fixture.now());
        ticket
    };
    const OTHER: Limit = Limit::per_minute(1);
    const ELSEWHERE: Limit = Limit::per_hour(1).zone("elsewhere");
    let (one, other, elsewhere) = (wait(&RATE), wait(&OTHER), wait(&ELSEWHERE));
    let woken = |ticket| fixture.turn(ticket).is_some();
    fixture.queues.notify_zone(&fixture.key(), fixture.now());
    assert!(woken(&one) && woken(&other) && !woken(&elsewhere));
    fixture.queues.notify_every(fixture.now());
    assert!(woken(&elsewhere));
}
