// A node of ESPHome with one light: its own light code, from the JSON of an order to the levels of the outputs, with nothing around it.
//
// Arguments: what hangs on the outputs (rgb, rgbw, rgbww, white). In: one line of JSON for each order, as it came at the command topic
// (esphome/components/mqtt/mqtt_light.cpp hands it on like this). Out: a line for each change of the levels, "r g b w", the
// brighter of two whites; and each warning behind a "!".

#include <poll.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <string>

#include <ArduinoJson.h>

#include "esphome/components/light/light_json_schema.h"
#include "esphome/components/light/light_state.h"
#include "esphome/components/light/base_light_effects.h"  // after the state, which it needs
#include "esphome/components/monochromatic/monochromatic_light_output.h"
#include "esphome/components/rgb/rgb_light_output.h"
#include "esphome/components/rgbw/rgbw_light_output.h"
#include "esphome/components/rgbww/rgbww_light_output.h"

using namespace esphome;

/// A pin whose level can be seen.
class Pin : public output::FloatOutput {
 public:
  float level{0};

 protected:
  void write_state(float state) override { this->level = state; }
};

static Pin red, green, blue, cold, warm;

static light::LightOutput *output_of(const std::string &kind) {
  if (kind == "rgb") {
    auto *out = new rgb::RGBLightOutput();
    out->set_red(&red), out->set_green(&green), out->set_blue(&blue);
    return out;
  }
  if (kind == "rgbw") {
    auto *out = new rgbw::RGBWLightOutput();
    out->set_red(&red), out->set_green(&green), out->set_blue(&blue), out->set_white(&cold);
    return out;
  }
  if (kind == "rgbww") {
    auto *out = new rgbww::RGBWWLightOutput();
    out->set_red(&red), out->set_green(&green), out->set_blue(&blue), out->set_cold_white(&cold), out->set_warm_white(&warm);
    out->set_cold_white_temperature(153), out->set_warm_white_temperature(500);
    return out;
  }
  auto *out = new monochromatic::MonochromaticLightOutput();
  out->set_output(&cold);
  return out;
}

/// The commonest effects of esphome.io/components/light, as their examples set them: `pulse` without settings, named as ours is.
static light::LightEffect *blink() {
  auto *pulse = new light::PulseLightEffect("blink");
  pulse->set_transition_on_length(300), pulse->set_transition_off_length(300), pulse->set_update_interval(500);
  pulse->set_min_max_brightness(0.0f, 1.0f);
  return pulse;
}

static void tell_levels() {
  static std::string before;
  char line[64];
  snprintf(line, sizeof line, "%.1f %.1f %.1f %.1f", red.level * 255, green.level * 255, blue.level * 255,
           std::max(cold.level, warm.level) * 255);
  if (before != line) puts(line);
  before = line;
}

int main(int, char **arguments) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  light::LightState state(output_of(arguments[1]));
  state.set_default_transition_length(0);  // so that a fade is one that was ordered
  state.add_effects({blink()});
  state.setup();
  for (std::string pending; true;) {
    pollfd input{0, POLLIN, 0};
    if (poll(&input, 1, 10) > 0) {
      char buffer[4096];
      const auto length = read(0, buffer, sizeof buffer);
      if (length <= 0) return 0;
      pending.append(buffer, length);
      for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
        JsonDocument order;
        if (deserializeJson(order, pending.substr(0, end))) {
          puts("! not JSON");
          continue;
        }
        auto call = state.make_call();
        light::LightJSONSchema::parse_json(state, call, order.as<JsonObject>());
        call.perform();
      }
    }
    state.loop();
    tell_levels();
  }
}
