//! Which times there is a run for.

use nuncio_relay::Origin;
use serde_json::json;

use super::{World, ping};

#[tokio::test(start_paused = true)]
async fn each_time_there_is_one_run() {
    let world = World::new(ping(&json!({ "every": "10m" }))).await;
    world.pass(3605).await;
    assert_eq!(world.ended().await, [600, 1200, 1800, 2400, 3000, 3600]);
    assert_eq!(world.bodies().await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_fires_no_time_twice() {
    let world = World::new(ping(&json!({ "every": "10m" }))).await;
    world.pass(1815).await;
    assert_eq!(world.ended().await, [600, 1200, 1800]);
    world.set_clock(-1500);
    world.pass(1500).await;
    assert_eq!(world.ended().await, [600, 1200, 1800]);
    world.pass(600).await;
    assert_eq!(world.ended().await, [600, 1200, 1800, 2400]);
    assert_eq!(world.shop.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_while_it_is_down_fires_no_time_twice() {
    let mut world = World::new(ping(&json!({ "every": "10m" }))).await;
    world.pass(1215).await;
    world.stop().await;
    world.set_clock(-900);
    world.start();
    world.pass(890).await;
    assert_eq!(world.ended().await, [600, 1200]);
    world.pass(615).await;
    assert_eq!(world.ended().await, [600, 1200, 1800]);
}

#[tokio::test(start_paused = true)]
async fn times_that_were_missed_are_caught_up_with_as_the_setting_says() {
    for (catch_up, ended, missed) in
        [("skip", vec![600], 3), ("once", vec![600, 2400], 2), ("all", vec![600, 1200, 1800, 2400], 0)]
    {
        for is_down in [true, false] {
            let mut world = World::new(ping(&json!({ "every": "10m", "catch_up": catch_up }))).await;
            world.pass(605).await;
            if is_down {
                world.stop().await;
                world.pass(2200).await;
                world.start();
            } else {
                world.set_clock(2200);
            }
            world.pass(15).await;
            assert_eq!(world.ended().await, ended, "{catch_up}, down: {is_down}");
            assert_eq!(world.state().await.missed, missed, "{catch_up}, down: {is_down}");
            world.pass(300).await;
            assert_eq!(world.ended().await.last(), Some(&3000), "{catch_up}, down: {is_down}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_hundred_missed_times_are_caught_up_with() {
    let mut world = World::new(ping(&json!({ "every": "10s", "catch_up": "all" }))).await;
    world.pass(15).await;
    world.stop().await;
    world.pass(86_400).await;
    world.start();
    world.pass(3).await;
    let state = world.state().await;
    assert_eq!(world.shop.asked().len(), 101);
    assert!(state.missed > 8000, "{}", state.missed);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_comes_while_a_run_is_under_way_is_counted_and_has_none() {
    let world = World::new(ping(&json!({ "every": "10m" }))).await;
    world.shop.hold("/");
    world.pass(1815).await;
    assert_eq!(world.shop.asked().len(), 1);
    world.shop.release();
    world.pass(605).await;
    assert_eq!(world.ended().await, [600, 2400]);
    assert_eq!(world.state().await.overlapped, 2);
}

#[tokio::test(start_paused = true)]
async fn two_processes_on_one_store_run_each_time_once() {
    let world = World::new(ping(&json!({ "every": "10m" }))).await;
    let other = tokio::spawn(world.scheduler().run());
    world.shop.hold("/");
    world.pass(900).await;
    world.shop.release();
    world.pass(905).await;
    assert_eq!(world.ended().await, [600, 1200, 1800]);
    assert_eq!(world.shop.asked().len(), 3);
    other.abort();
}

#[tokio::test(start_paused = true)]
async fn jitter_is_within_its_bound_and_the_same_each_time() {
    let begun = async || {
        let world = World::new(ping(&json!({ "every": "10m", "jitter": "5m" }))).await;
        world.pass(6000).await;
        let ended = world.state().await.ended;
        ended.iter().map(|ended| ended.begun_at.as_second() - ended.due.as_second()).collect::<Vec<_>>()
    };
    let delays = begun().await;
    assert!(delays.len() >= 9 && delays.iter().all(|delay| (0..=310).contains(delay)), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay > 60), "{delays:?}");
    assert_eq!(begun().await, delays);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_paused_no_time_counts() {
    let world = World::new(ping(&json!({ "every": "10m", "catch_up": "all" }))).await;
    world.pass(605).await;
    world.change(|state, now| state.pause(now)).await;
    world.pass(1200).await;
    assert_eq!(world.ended().await, [600]);
    world.change(|state, now| assert!(state.ask(false, now))).await;
    world.pass(5).await;
    assert_eq!(world.ended().await, [600, 1805]);
    world.change(|state, now| state.resume(now)).await;
    world.pass(600).await;
    assert_eq!(world.ended().await, [600, 1805, 2400]);
    assert_eq!(world.state().await.missed, 0);
}

#[tokio::test(start_paused = true)]
async fn another_timing_owes_nothing_for_the_time_before() {
    let mut world = World::new(ping(&json!({ "every": "1h" }))).await;
    world.pass(3000).await;
    world.set_up(ping(&json!({ "every": "10m" }))).await;
    world.pass(5).await;
    assert_eq!(world.ended().await, [0_i64; 0]);
    world.pass(605).await;
    assert_eq!(world.ended().await, [3600]);
    assert!(world.events(Origin::Relay).await.is_empty());
}
