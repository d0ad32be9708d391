// native/addon/environment.hpp: what one JavaScript environment (the main thread, a Worker) holds of us: its staging
// and its place in the thread's memory. State goes with the callbacks' data, not with the module, so two copies of
// the package in one process do not meet.
#pragma once

#include <napi.h>

#include "../control/process.hpp"

namespace blkin::addon {

// Staging: a u32, length + (id << 16), and 4 unused bytes; then the payload's fixed parts; after them, room to compose a payload in.
constexpr size_t kStagingBytes = 8 + ring::kPayloadMax + 8;
constexpr size_t kScratchBytes = ring::kPayloadMax + 64;

// Initial-exec and constant-initialized: one instruction to reach, where anything else is a call.
extern constinit thread_local control::Thread t_thread;

void open_environment(Napi::Env env);
Napi::Value staging(const Napi::CallbackInfo& info);  // () -> ArrayBuffer
Napi::Value flags(const Napi::CallbackInfo& info);    // () -> ArrayBuffer of kTracepointsMax bytes

napi_value emit(napi_env env, napi_callback_info info);     // () -> undefined
Napi::Value mixed_emitter(const Napi::CallbackInfo& info);  // (id) -> (...parts) -> undefined
Napi::Value refuse(const Napi::CallbackInfo& info);         // () -> undefined
Napi::Value configure(const Napi::CallbackInfo& info);      // (settings) -> boolean
Napi::Value declare(const Napi::CallbackInfo& info);        // (tracepoint) -> number | string
Napi::Value enable(const Napi::CallbackInfo& info);         // (rule) -> number
Napi::Value disable(const Napi::CallbackInfo& info);        // (number | string) -> boolean
Napi::Value status(const Napi::CallbackInfo& info);         // () -> object
Napi::Value flush(const Napi::CallbackInfo& info);          // (ms) -> Promise<boolean>
Napi::Value recover(const Napi::CallbackInfo& info);        // (options) -> Promise<object[]>

}  // namespace blkin::addon
