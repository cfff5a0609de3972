//! Why an MQTT 3.1.1 connection ended.

use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

use crate::core::model::event::LinkFailure;
use crate::mqtt::failure::{NO_LONGER_ANSWERS, has_gone};

/// Translates an error of rumqttc. `is_open`: the broker has accepted the connection.
pub(super) fn of(error: &ConnectionError, is_open: bool) -> LinkFailure {
    let lost = |why: &str| LinkFailure::Lost(why.into());
    match error {
        ConnectionError::ConnectionRefused(code) => of_refusal(*code),
        ConnectionError::NetworkTimeout => lost("no answer in time"),
        ConnectionError::FlushTimeout => lost("the broker accepts no more data"),
        ConnectionError::MqttState(StateError::AwaitPingResp) => lost(NO_LONGER_ANSWERS),
        ConnectionError::MqttState(StateError::ConnectionAborted) => hung_up(is_open),
        ConnectionError::MqttState(error) if has_gone(error) => hung_up(is_open),
        ConnectionError::MqttState(StateError::Io(error)) | ConnectionError::Io(error) => {
            LinkFailure::Lost(error.to_string().into())
        }
        ConnectionError::MqttState(_) | ConnectionError::NotConnAck(_) | ConnectionError::RequestsDone => {
            LinkFailure::Lost(error.to_string().into())
        }
    }
}

fn hung_up(is_open: bool) -> LinkFailure {
    if is_open { LinkFailure::Closed } else { LinkFailure::NotLetIn }
}

/// MQTT 3.1.1 section 3.2.2.3.
fn of_refusal(code: ConnectReturnCode) -> LinkFailure {
    let why = match code {
        ConnectReturnCode::BadUserNamePassword => {
            "the broker refuses the user name or password; check mqtt.username and mqtt.password_file"
        }
        ConnectReturnCode::NotAuthorized => {
            "the broker does not accept this client; check mqtt.username, mqtt.password_file and the \
            broker's access list"
        }
        ConnectReturnCode::BadClientId => "the broker refuses the client id; change mqtt.client_id",
        ConnectReturnCode::RefusedProtocolVersion => {
            "the broker does not speak MQTT 3.1.1; set mqtt.protocol to \"5\""
        }
        ConnectReturnCode::ServiceUnavailable => {
            return LinkFailure::Lost("the broker is not available now".into());
        }
        ConnectReturnCode::Success => return hung_up(false),
    };
    LinkFailure::Refused(why.into())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_broker_that_goes_away_without_a_word_is_suspicious_only_after_it_has_let_us_in() {
        let reset = || StateError::Io(io::ErrorKind::ConnectionReset.into());
        for error in [StateError::ConnectionAborted, reset()].map(ConnectionError::MqttState) {
            assert_eq!(of(&error, false), LinkFailure::NotLetIn, "{error}");
            assert_eq!(of(&error, true), LinkFailure::Closed, "{error}");
        }
    }
}
