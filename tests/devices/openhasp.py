"""openHASP, after its source: HASwitchPlate/openHASP at 27c5de07, `src/mqtt/hasp_mqtt_esp.cpp`, `src/hasp/hasp_dispatch.cpp` and
`src/sys/gpio/hasp_gpio.cpp`."""

import json

from device import Device, byte_color


class Openhasp(Device):
    """A plate with a mood light."""

    family = "openhasp"
    fades = False
    effects = None

    def __init__(self, name):
        self.topic = f"hasp/{name}"
        self.keys = {"preset": "openhasp", "topic": self.topic}
        self.will = (f"{self.topic}/LWT", "offline")
        super().__init__(name)

    def boot(self):
        self.power, self.color, self.brightness = True, (255, 255, 255), 255

    def arrive(self):
        # hasp_mqtt_esp.cpp, onMqttConnect: subscribes to command/#, then says online.
        self.client.subscribe(f"{self.topic}/command/#")
        self.client.publish(f"{self.topic}/LWT", "online", retain=True)

    def heard(self, topic, payload):
        """hasp_dispatch.cpp, dispatch_moodlight: what is not said stays."""
        if topic != f"{self.topic}/command/moodlight":
            self.complain(f"an order at {topic}")
            return
        try:
            order = json.loads(payload)
        except ValueError:
            self.complain("not JSON")
            return
        if "state" in order:
            self.power = str(order["state"]).lower() in ("on", "true", "1", "yes")
        self.color = tuple(order.get(key, value) for key, value in zip("rgb", self.color))
        if "color" in order:
            self.color = byte_color(order["color"])
        self.brightness = order.get("brightness", self.brightness)

    def parts(self):
        """hasp_gpio.cpp, gpio_set_moodlight."""
        level = self.brightness / 255 * self.power
        return [tuple(value * level for value in self.color) + (0.0,)]
