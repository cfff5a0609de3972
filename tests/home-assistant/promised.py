"""What Home Assistant has to show, from the documentation and from what the tenant says; nothing here asks the bridge."""

from datetime import datetime, timezone

AVAILABILITY = ["Available", "AvailableIdle", "Away", "BeRightBack", "Busy", "BusyIdle", "DoNotDisturb", "Offline",
                "PresenceUnknown"]
HEALTH = ["ok", "stale", "sign_in_required", "forbidden", "not_found"]
GRAPH = ["starting", "ok", "throttled", "unreachable", "sign_in_required", "forbidden"]
# What somebody may be set to, and the activity that Graph wants with it.
SETTABLE = {"Available": "Available", "Busy": "Busy", "DoNotDisturb": "DoNotDisturb", "BeRightBack": "BeRightBack",
            "Away": "Away", "Offline": "OffWork"}
IN_A_CALL = ["InACall", "InAConferenceCall", "InAMeeting", "Presenting"]
BUSY = ["Busy", "BusyIdle", "DoNotDisturb"]
PLACES = {"office": "office", "remote": "remote", "timeOff": "time_off"}

# Entities by kind and key, which ends the unique id. A person's follow their health, except the diagnostic ones.
PERSON = {"availability": "sensor", "activity": "sensor", "busy": "binary_sensor", "in_a_call": "binary_sensor",
          "out_of_office": "binary_sensor", "since": "sensor", "health": "sensor"}
CONTROLS = {"presence": "select", "clear_presence": "button", "status_message": "text"}
BRIDGE = {"connection": "binary_sensor", "graph": "sensor", "sign_in_needed": "binary_sensor", "last_read": "sensor",
          "users": "sensor", "version": "sensor", "refresh": "button"}
ATTRIBUTES = ["availability", "activity", "since", "out_of_office", "out_of_office_message", "status_message",
              "status_message_expires", "work_location", "raw_availability", "raw_activity", "sequence_number", "user_id",
              "bridge"]
# How the bridge calls what is wrong: the word of `graph`, and that of everybody's health.
TROUBLE = {"unreachable": "stale", "sign_in_required": "sign_in_required"}


class Between:
    """A time from one moment to another; equal to every text that is one."""

    def __init__(self, first, last=None):
        self.first, self.last = first, last

    def __eq__(self, text):
        try:
            return self.first <= datetime.fromisoformat(text).timestamp() <= (self.last or datetime.now().timestamp() + 1)
        except (TypeError, ValueError):
            return False

    def __repr__(self):
        clock = lambda at: datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds") if at else "now"
        return f"a time from {clock(self.first)} to {clock(self.last)}"


class OneOf:
    """Equal to a few words, or to anything but them."""

    def __init__(self, *words, but=False):
        self.words, self.but = words, but

    def __eq__(self, word):
        return (word in self.words) != self.but

    def __repr__(self):
        return f"{'anything but' if self.but else 'one of'} {self.words}"


def of_person(name, said, since, controls):
    """States of somebody's entities, by entity id, while everything is well."""
    word = said["availability"] if said["availability"] in AVAILABILITY else "PresenceUnknown"
    flag = lambda yes, known=True: "unknown" if not known else "on" if yes else "off"
    states = {"availability": word, "activity": said["activity"], "busy": flag(word in BUSY, word != "PresenceUnknown"),
              "in_a_call": flag(said["activity"] in IN_A_CALL), "since": since, "health": "ok",
              "out_of_office": flag(said["outOfOfficeSettings"]["isOutOfOffice"])}
    kinds = PERSON
    if controls:
        kinds = {**PERSON, **CONTROLS}
        states |= {"presence": word if word in SETTABLE else "unknown", "status_message": message(said) or "",
                   "clear_presence": OneOf("unavailable", None, but=True)}
    return {f"{kind}.{name}_{key}": states[key] for key, kind in kinds.items()}


def attributes_of_person(said, since, bridge):
    """Attributes of somebody's availability."""
    away = said["outOfOfficeSettings"]
    known = said["availability"] if said["availability"] in AVAILABILITY else "PresenceUnknown"
    return {"availability": known, "activity": said["activity"], "since": since, "out_of_office": away["isOutOfOffice"],
            "out_of_office_message": away["message"], "status_message": message(said), "status_message_expires": None,
            "work_location": PLACES.get(said["workLocation"]["workLocationType"]), "raw_availability": said["availability"],
            "raw_activity": said["activity"], "sequence_number": OneOf(None, but=True), "user_id": said["id"],
            "bridge": bridge, "device_class": "enum", "options": AVAILABILITY}


def of_bridge(client_id, users, version, begun):
    """States of the bridge's entities, by entity id, while everything is well."""
    states = {"connection": "on", "graph": "ok", "sign_in_needed": "off", "last_read": Between(begun), "users": str(users),
              "version": version, "refresh": OneOf("unavailable", None, but=True)}
    return {f"{kind}.{client_id}_{key}": states[key] for key, kind in BRIDGE.items()}


def in_trouble(states, trouble, client_id):
    """The same entities when something is wrong: `lost` (the bridge itself), or a word of TROUBLE."""
    if trouble == "lost":
        return {entity: "off" if entity.endswith(f"{client_id}_connection") else "unavailable" for entity in states}
    stays = ("_since", f"{client_id}_connection", f"{client_id}_version", f"{client_id}_users", f"{client_id}_refresh",
             f"{client_id}_last_read")
    told = {f"sensor.{client_id}_graph": trouble, f"binary_sensor.{client_id}_sign_in_needed":
            "on" if trouble == "sign_in_required" else "off"}
    if trouble == "sign_in_required":  # never read, by a bridge that started with a wrong secret
        told[f"sensor.{client_id}_last_read"] = "unknown"
    for entity, state in states.items():
        if entity.endswith("_health"):
            told[entity] = TROUBLE[trouble]
        elif entity not in told:
            told[entity] = state if entity.endswith(stays) else "unavailable"
    return told


def message(said):
    return said["statusMessage"] and said["statusMessage"]["message"]["content"]
