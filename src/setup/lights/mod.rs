//! Lights that could show the presence: found on the broker, and made to show which one it is.

mod blink;
pub(crate) mod found;

use super::broker::connect;
use crate::config::Config;
use crate::core::lights::settings::Settings;
use crate::core::model::event::Incoming;
use crate::hearing::{self, Hearing, Verdict};
use crate::mqtt::one_shot::{OneShot, OneShotError};
use found::{FILTERS, FoundLight};

/// The lights with colours that announce themselves on a draft's broker.
pub(crate) async fn look(config: &Config) -> Result<Vec<FoundLight>, OneShotError> {
    let mut broker = connect(config).await?;
    let announced = announced(&mut broker).await;
    broker.close().await;
    Ok(found::lights(&announced?))
}

/// Everything that may be read of what is announced.
async fn announced(broker: &mut OneShot) -> Result<Vec<Incoming>, OneShotError> {
    let mut filters: Vec<String> = FILTERS.map(str::to_owned).to_vec();
    loop {
        match broker.all_retained(&filters).await {
            Err(OneShotError::Refused(refused)) if filters.contains(&refused) => {
                filters.retain(|filter| *filter != refused);
            }
            announced => return announced,
        }
    }
}

/// Asks a light's device whether it is there, lets it blink, and says what became of it: an announcement is
/// retained, and may be that of a lamp which was unplugged. Only an answer shows that it is there.
pub(crate) async fn show(light: &Settings, config: &Config) -> Result<String, OneShotError> {
    let mut broker = connect(config).await?;
    let shown = ask_and_blink(light, &mut broker).await;
    broker.close().await;
    let (answers, verdict) = shown?;
    let says = match verdict {
        Verdict::Wrong(why) => format!("but {why}"),
        Verdict::Well(_) if answers => "and answered".to_owned(),
        Verdict::Well(_) | Verdict::Unknown(_) => {
            "and does not say whether it did; if not, check its power and its MQTT settings".to_owned()
        }
    };
    Ok(format!("{} was told to blink red, {says}.", light.name))
}

/// Whether the device answered, and what may be said of it.
async fn ask_and_blink(light: &Settings, broker: &mut OneShot) -> Result<(bool, Verdict), OneShotError> {
    let mut hearing = [Hearing::new(light)];
    hearing::listen(&mut hearing, broker).await?;
    hearing::ask(&mut hearing, broker).await?;
    blink::blink(light, broker).await?;
    Ok((hearing[0].answers(), hearing[0].verdict()))
}
