// native/addon/module.cc: the addon's table of contents. One file per entry; environment.hpp gives their shapes.
#include "environment.hpp"

namespace blkin::addon {

namespace {

/** What a call costs that does nothing: `blkin overhead` puts it beside the others. */
napi_value nothing(napi_env, napi_callback_info) { return nullptr; }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  open_environment(env);
  napi_value hot = nullptr;  // plain Node-API: node-addon-api's wrapper costs more than the ring
  napi_create_function(env, "emit", NAPI_AUTO_LENGTH, emit, nullptr, &hot);
  exports.Set("emit", hot);
  napi_value idle = nullptr;
  napi_create_function(env, "nothing", NAPI_AUTO_LENGTH, nothing, nullptr, &idle);
  exports.Set("nothing", idle);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  add("mixedEmitter", mixed_emitter);
  add("staging", staging);
  add("flags", flags);
  add("generations", generations);
  add("gates", gates);
  add("unfit", unfit);
  add("covered", covered);
  add("contexts", contexts);
  add("cpu", cpu);
  add("contextBlock", context_block);
  add("refuse", refuse);
  add("configure", configure);
  add("declare", declare);
  add("addContext", add_context);
  add("handOver", hand_over);
  add("takeOver", take_over);
  add("enable", enable);
  add("disable", disable);
  add("openSession", open_session);
  add("changeSession", change_session);
  add("closeSession", close_session);
  add("status", status);
  add("flush", flush);
  add("leave", leave);
  add("recover", recover);
  add("writeStderr", write_stderr);
  return exports;
}

}  // namespace

}  // namespace blkin::addon

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
  return blkin::addon::init(env, exports);
}
NODE_API_MODULE(NODE_GYP_MODULE_NAME, init_module)
