// bench/floor/floor.c: what no tracepoint that JavaScript calls and that takes a time can cost less than. An addon of
// two functions in plain Node-API, which read no argument and return nothing, as blkin's own emit() does.
#include <node_api.h>
#include <stdint.h>
#include <x86intrin.h>

static volatile uint64_t stamp;

static napi_value noop(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  return NULL;
}

static napi_value ticks(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  stamp = __rdtsc();
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "noop", NAPI_AUTO_LENGTH, noop, NULL, &function);
  napi_set_named_property(env, exports, "noop", function);
  napi_create_function(env, "ticks", NAPI_AUTO_LENGTH, ticks, NULL, &function);
  napi_set_named_property(env, exports, "ticks", function);
  return exports;
}
