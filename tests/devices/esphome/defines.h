// Instead of esphome/core/defines.h: what ESPHome's generator writes for a node on the `host` platform with a light and nothing else.
#pragma once
#include "esphome/core/macros.h"
#define USE_HOST
#define USE_JSON
#define USE_LIGHT
#define ESPHOME_THREAD_SINGLE
#define ESPHOME_LOG_LEVEL 2
