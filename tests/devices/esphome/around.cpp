// What the light code needs of the rest of ESPHome, as small as a node without anything else allows: a component that always loops,
// a clock, no flash, and a log on stdout.

#include <chrono>
#include <cstdarg>
#include <cstdio>

#include "esphome/components/host/preferences.h"
#include "esphome/core/component.h"
#include "esphome/core/entity_base.h"
#include "esphome/core/log.h"

namespace esphome {

void Component::setup() {}
void Component::loop() {}
void Component::dump_config() {}
float Component::get_setup_priority() const { return 0; }
void Component::call_setup() { this->setup(); }
bool Component::can_proceed() { return true; }
void Component::disable_loop() {}
void Component::enable_loop_slow_path_() {}

ESPPreferenceObject EntityBase::make_entity_preference_(size_t, uint32_t) { return {}; }

uint32_t millis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void esp_log_printf_(int, const char *, int, const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("! ", stdout);
  vprintf(format, values);
  putchar('\n');
  va_end(values);
}

namespace host {
bool HostPreferenceBackend::load(uint8_t *, size_t) { return false; }
bool HostPreferenceBackend::save(const uint8_t *, size_t) { return false; }
}  // namespace host

}  // namespace esphome
