//! The hot pieces of a whole tenant, one by one.
//!
//! ```text
//! cargo bench --bench hot
//! ```
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a measurement is an edge")]

#[path = "tenant/people.rs"]
#[allow(dead_code, reason = "the load run uses all of it")]
mod people;
#[path = "cycle/world.rs"]
#[allow(dead_code, reason = "one cycle uses all of it")]
mod world;

use std::cell::RefCell;

use divan::Bencher;
use divan::counter::ItemsCount;
use presence2mqtt::core::model::event::Event;
use presence2mqtt::core::model::request::BULK_LIMIT;
use presence2mqtt::graph::answer;

use world::World;

fn main() {
    divan::main();
}

/// One answer about as many people as one request may have.
#[divan::bench]
fn read_an_answer(bencher: Bencher<'_, '_>) {
    let mut world = World::settled(BULK_LIMIT);
    let (_, ids) = world.asked();
    let body = world.body(&ids);
    bencher.counter(ItemsCount::new(BULK_LIMIT)).bench(|| answer::list(divan::black_box(&body)));
}

/// The core takes an answer in which nobody has changed.
#[divan::bench]
fn take_an_unchanged_answer(bencher: Bencher<'_, '_>) {
    take(bencher, 0.0);
}

/// The core takes an answer in which everybody has changed, and makes the messages of as many as go out at
/// once.
#[divan::bench]
fn take_a_changed_answer(bencher: Bencher<'_, '_>) {
    take(bencher, 1.0);
}

fn take(bencher: Bencher<'_, '_>, share: f64) {
    let world = RefCell::new(World::settled(BULK_LIMIT));
    world.borrow().change(share);
    let next = || {
        let mut world = world.borrow_mut();
        world.publish_everything();
        world.next_answer()
    };
    let take = |event: Event| world.borrow_mut().happens(event);
    bencher.counter(ItemsCount::new(BULK_LIMIT)).with_inputs(next).bench_local_values(take);
}

/// A person's messages are made: three of a change, while the broker takes them.
#[divan::bench]
fn make_messages(bencher: Bencher<'_, '_>) {
    const MESSAGES: usize = 99;
    let world = RefCell::new(World::settled(BULK_LIMIT));
    world.borrow().change(1.0);
    let ready = || {
        let mut world = world.borrow_mut();
        world.publish_everything();
        let answer = world.next_answer();
        drop(world.happens(answer));
    };
    let make = |()| world.borrow_mut().happens(Event::Acknowledged(MESSAGES));
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(ready).bench_local_values(make);
}
