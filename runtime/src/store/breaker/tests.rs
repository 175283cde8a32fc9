use std::{
    collections::HashSet,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;

const THRESHOLD: u32 = 2;
const RECOVERY: Micros = 3;
const PATIENCE: Micros = 2;
/// Long enough for an open circuit, a lost probe, a late report of it and another round.
const HORIZON: Micros = 20;
const ACTORS: usize = 3;

/// One request, between asking and reporting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Actor {
    Away,
    Passed,
    Probing(u64),
}

/// What the words say, restated: who probes is known by name, not by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Model {
    Closed { failures: u32 },
    Open { until: Micros },
    HalfOpen { prober: usize, until: Micros },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    word: u64,
    now: Micros,
    actors: [Actor; ACTORS],
    model: Model,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Time,
    Asks(usize),
    Succeeds(usize),
    Fails(usize),
    Leaves(usize),
}

fn breaker(word: u64) -> Breaker {
    let breaker = Breaker::new(THRESHOLD, RECOVERY, PATIENCE);
    breaker.word.store(word, Ordering::Relaxed);
    breaker
}

/// Every order in which three requests can ask, succeed, fail, leave or be forgotten, while time
/// passes: each change of the breaker is one compare-and-swap, so this is all that threads can do.
#[test]
fn every_interleaving_does_what_the_model_says() {
    let start = World {
        word: State::Closed(0).word(),
        now: 1,
        actors: [Actor::Away; ACTORS],
        model: Model::Closed { failures: 0 },
    };
    let mut seen = HashSet::from([start]);
    let mut open = vec![start];
    let mut states = HashSet::new();
    while let Some(world) = open.pop() {
        states.insert(breaker(world.word).state());
        for event in events(&world) {
            if let Some(next) = step(world, event)
                && seen.insert(next)
            {
                open.push(next);
            }
        }
    }
    assert_eq!(states.len(), 3, "all states are reached");
    assert!(seen.len() > 10_000, "only {} worlds", seen.len());
}

fn events(world: &World) -> Vec<Event> {
    let mut events = vec![Event::Time];
    for (index, actor) in world.actors.iter().enumerate() {
        match actor {
            Actor::Away => events.push(Event::Asks(index)),
            Actor::Passed | Actor::Probing(_) => events.extend([
                Event::Succeeds(index),
                Event::Fails(index),
                Event::Leaves(index),
            ]),
        }
    }
    events
}

fn step(mut world: World, event: Event) -> Option<World> {
    let breaker = breaker(world.word);
    let now = world.now;
    match event {
        Event::Time => {
            world.now += 1;
            return (world.now <= HORIZON).then_some(world);
        }
        Event::Asks(actor) => {
            let admission = breaker.admit(|| now);
            let expected = world.model.asks(actor, now);
            world.actors[actor] = match admission {
                Admission::Pass => Actor::Passed,
                Admission::Probe(Probe(token)) => Actor::Probing(token),
                Admission::Refuse(wait) => {
                    assert_eq!(expected, Expected::Refused(wait), "{world:?}");
                    Actor::Away
                }
            };
            match world.actors[actor] {
                Actor::Passed => assert_eq!(expected, Expected::Passes, "{world:?}"),
                Actor::Probing(_) => assert_eq!(expected, Expected::Probes, "{world:?}"),
                Actor::Away => {}
            }
        }
        Event::Succeeds(actor) => {
            match world.actors[actor] {
                Actor::Probing(token) => drop(breaker.probe_succeeded(Probe(token))),
                _ => breaker.succeeded(),
            }
            world.model.succeeds(actor, world.actors[actor]);
            world.actors[actor] = Actor::Away;
        }
        Event::Fails(actor) => {
            let change = match world.actors[actor] {
                Actor::Probing(token) => breaker.probe_failed(Probe(token), now),
                _ => breaker.failed(now),
            };
            let opens = world.model.fails(actor, world.actors[actor], now);
            assert_eq!(change.is_some(), opens, "logged once: {world:?}");
            world.actors[actor] = Actor::Away;
        }
        Event::Leaves(actor) => {
            if let Actor::Probing(token) = world.actors[actor] {
                breaker.probe_dropped(Probe(token), now);
                world.model.leaves(actor, now);
            }
            world.actors[actor] = Actor::Away;
        }
    }
    world.word = breaker.word.load(Ordering::Relaxed);
    assert_eq!(State::of(world.word), world.model.state(), "{world:?}");
    let live = world
        .actors
        .iter()
        .filter(|actor| **actor == Actor::Probing(world.word));
    assert!(live.count() <= 1, "two probes: {world:?}");
    Some(world)
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Passes,
    Probes,
    Refused(Micros),
}

impl Model {
    fn asks(&mut self, actor: usize, now: Micros) -> Expected {
        match *self {
            Self::Closed { .. } => Expected::Passes,
            Self::Open { until } | Self::HalfOpen { until, .. } if now < until => {
                Expected::Refused(until - now)
            }
            _ => {
                *self = Self::HalfOpen {
                    prober: actor,
                    until: now + PATIENCE,
                };
                Expected::Probes
            }
        }
    }

    /// Whether what this actor has to say is of the time before, and so of no interest.
    fn is_stale(&self, actor: usize, as_what: Actor) -> bool {
        match (*self, as_what) {
            (Self::Closed { .. }, Actor::Passed) => false,
            (Self::HalfOpen { prober, .. }, Actor::Probing(_)) => prober != actor,
            _ => true,
        }
    }

    fn succeeds(&mut self, actor: usize, as_what: Actor) {
        if !self.is_stale(actor, as_what) {
            *self = Self::Closed { failures: 0 };
        }
    }

    /// Whether it opens.
    fn fails(&mut self, actor: usize, as_what: Actor, now: Micros) -> bool {
        if self.is_stale(actor, as_what) {
            return false;
        }
        match *self {
            Self::Closed { failures } if failures + 1 < THRESHOLD => {
                *self = Self::Closed {
                    failures: failures + 1,
                };
                false
            }
            _ => {
                *self = Self::Open {
                    until: now + RECOVERY,
                };
                true
            }
        }
    }

    fn leaves(&mut self, actor: usize, now: Micros) {
        if matches!(*self, Self::HalfOpen { prober, .. } if prober == actor) {
            *self = Self::Open { until: now };
        }
    }

    fn state(self) -> State {
        match self {
            Self::Closed { failures } => State::Closed(failures),
            Self::Open { until } => State::Open(until),
            Self::HalfOpen { until, .. } => State::HalfOpen(until),
        }
    }
}

#[test]
fn of_a_thousand_at_once_one_probes() {
    const THREADS: usize = 8;
    for round in 0..50 {
        let breaker = Breaker::new(1, 100, 100);
        assert_eq!(breaker.failed(0), Some(Change::Opened));
        let (probes, barrier) = (AtomicUsize::new(0), Barrier::new(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..1_000 / THREADS {
                        match breaker.admit(|| 100 + round) {
                            Admission::Probe(_) => drop(probes.fetch_add(1, Ordering::Relaxed)),
                            other => assert!(matches!(other, Admission::Refuse(_)), "{other:?}"),
                        }
                    }
                });
            }
        });
        assert_eq!(probes.into_inner(), 1);
    }
}

#[test]
fn a_closed_circuit_does_not_ask_for_the_time() {
    let breaker = Breaker::new(3, 100, 100);
    assert_eq!(breaker.admit(|| unreachable!("closed")), Admission::Pass);
}

#[test]
fn only_failures_in_a_row_open_it() {
    let breaker = Breaker::new(3, 100, 100);
    for _ in 0..10 {
        assert_eq!(breaker.failed(0), None);
        assert_eq!(breaker.failed(0), None);
        breaker.succeeded();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.failed(0), None);
    assert_eq!(breaker.failed(0), None);
    assert_eq!(breaker.failed(0), Some(Change::Opened));
    assert_eq!(breaker.state(), CircuitState::Open);
}
