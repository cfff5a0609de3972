//! A light that shows which one it is.

use std::time::Duration;

use crate::core::lights::color::Shade;
use crate::core::lights::settings::Settings;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// As often as people look up for.
const BLINKS: usize = 3;

/// Slow enough for every lamp.
const BLINK_PAUSE: Duration = Duration::from_millis(500);

/// Red, as in a call, and off, a few times; off in the end.
pub(crate) async fn blink(light: &Settings, broker: &mut OneShot) -> Result<(), OneShotError> {
    // A blink is shorter than a usual fade.
    let light = Settings { transition: Duration::ZERO, ..light.clone() };
    let shades = ["#ff0000".parse().ok(), Some(Shade::Off)];
    for shade in std::iter::repeat_n(shades, BLINKS).flatten().flatten() {
        for order in light.orders(&light.look_of_nobody(shade)) {
            broker.publish(order.into()).await?;
        }
        tokio::time::sleep(BLINK_PAUSE).await;
    }
    Ok(())
}
