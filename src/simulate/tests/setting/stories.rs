//! What is shown of somebody while sessions and preferences come and go.

use super::*;

/// What happens in a story about one person.
enum Step {
    /// The person's clients say so.
    Clients(&'static str, &'static str),
    /// The app sets its session: words and duration.
    Session(&'static str, &'static str, &'static str),
    /// The app ends its session.
    EndSession,
    /// The person's preference is set, for its usual time.
    Prefer(&'static str, &'static str),
    /// The preference is taken back.
    EndPreference,
    /// So many minutes pass.
    Minutes(u64),
}

use Step::{Clients, EndPreference, EndSession, Minutes, Prefer, Session};

#[tokio::test]
async fn stories() {
    let days = |days: u64| Minutes(days * 24 * 60);
    let stories: [&[(Step, &str)]; 7] = [
        &[
            (Session("Available", "Available", "PT1H"), "Available/Available"),
            (Minutes(4), "Available/Available"),
            (Minutes(1), "Available/AvailableInactive"),
            (Session("Available", "Available", "PT12M"), "Available/Available"),
            (Minutes(5), "Available/AvailableInactive"),
            (Minutes(5), "Away/Away"),
            (Minutes(2), "Offline/Offline"),
        ],
        &[
            (Session("Busy", "InACall", "PT5M"), "Busy/InACall"),
            (Minutes(4), "Busy/InACall"),
            (Session("Busy", "InACall", "PT4H"), "Busy/InACall"),
            (Minutes(239), "Busy/InACall"),
            (EndSession, "Offline/Offline"),
        ],
        &[
            (Clients("Available", "Available"), "Available/Available"),
            (Session("Away", "Away", "PT1H"), "Available/Available"),
            (Session("Busy", "InAConferenceCall", "PT1H"), "Busy/InAConferenceCall"),
            (Clients("DoNotDisturb", "Focusing"), "DoNotDisturb/Focusing"),
            (Clients("Offline", "Offline"), "Busy/InAConferenceCall"),
            (Minutes(60), "Offline/Offline"),
        ],
        &[
            (Prefer("Busy", "Busy"), "Offline/OffWork"),
            (Session("Available", "Available", "PT5M"), "Busy/Busy"),
            (Minutes(5), "Offline/OffWork"),
            (Clients("Away", "Away"), "Busy/Busy"),
            (days(1), "Away/Away"),
        ],
        &[
            (Clients("Busy", "InAMeeting"), "Busy/InAMeeting"),
            (Prefer("Available", "Available"), "Available/Available"),
            (days(6), "Available/Available"),
            (days(1), "Busy/InAMeeting"),
            (Prefer("DoNotDisturb", "DoNotDisturb"), "DoNotDisturb/DoNotDisturb"),
            (days(1), "Busy/InAMeeting"),
        ],
        &[
            (Clients("DoNotDisturb", "Presenting"), "DoNotDisturb/Presenting"),
            (Prefer("Offline", "OffWork"), "Offline/OffWork"),
            (EndPreference, "DoNotDisturb/Presenting"),
            (EndPreference, "DoNotDisturb/Presenting"),
        ],
        &[
            (Clients("Offline", "OutOfOffice"), "Offline/OutOfOffice"),
            (Session("DoNotDisturb", "Presenting", "PT5M"), "DoNotDisturb/Presenting"),
            (EndSession, "Offline/OutOfOffice"),
        ],
    ];
    let mut world = World::writable().await;
    for (number, story) in stories.into_iter().enumerate() {
        world.tenant.set_presence(world.id(0), "Offline", "Offline");
        // Whatever was set in the story before is over.
        world.skip_minutes(8 * 24 * 60);
        world.token = world.sign_in().await;
        for (place, (step, expected)) in story.iter().enumerate() {
            match step {
                Clients(availability, activity) => {
                    assert!(world.tenant.set_presence(world.id(0), availability, activity));
                }
                Session(availability, activity, lasts) => {
                    world.done(Action::SetPresence, &world.session(availability, activity, lasts)).await;
                }
                EndSession => world.done(Action::ClearPresence, &world.session_id()).await,
                Prefer(availability, activity) => {
                    let body = preferred(availability, activity);
                    world.done(Action::SetUserPreferredPresence, &body).await;
                }
                EndPreference => world.done(Action::ClearUserPreferredPresence, &json!({})).await,
                Minutes(minutes) => {
                    world.skip_minutes(*minutes);
                    world.token = world.sign_in().await;
                }
            }
            assert_eq!(world.look().await.0, *expected, "story {number}, step {place}");
        }
    }
}

#[tokio::test]
async fn a_preference_of_somebody_who_lives_through_days_shows_while_they_work() {
    let settings = Settings { permissions: vec!["Presence.ReadWrite.All".into()], ..Settings::default() };
    let world = World::with(settings).await;
    let brb = preferred("BeRightBack", "BeRightBack");
    let prefer = || world.done(Action::SetUserPreferredPresence, &brb);
    prefer().await;
    world.shows("BeRightBack/BeRightBack").await;
    // Twelve minutes are twelve hours in there: the day is over.
    world.skip_minutes(12);
    world.shows("Offline/OffWork").await;
    world.done(Action::SetPresence, &world.session("Away", "Away", "PT5M")).await;
    world.shows("BeRightBack/BeRightBack").await;
    let entity = json!({"id": world.id(0), "availability": "Levitating"});
    world.tenant.set_presence_json(world.id(0), entity);
    prefer().await;
    assert_eq!(expect(world.read(), 200).await["availability"], "Levitating");
}
