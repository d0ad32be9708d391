// native/addon/environment.hpp: what one JavaScript environment (the main thread, a Worker) holds of us: its staging
// and its place in the thread's memory. State goes with the callbacks' data, not with the module, so two copies of
// the package in one process do not meet.
#pragma once

#include <napi.h>

#include "../process/process.hpp"

namespace blkin::addon {

// Before staging, and before what is composed behind it: room for contexts (Process::emit).
constexpr size_t kContextRoom = control::kContextBytesMax;
// Staging: two u32; then the payload's fixed parts; after them, room to compose a payload in. The first, as
// lib/placement.ts makes it: | control::Event, 16 bits | the second counts, 1 bit | bytes of the payload, 15 bits |
// The second is a control::Asked.
constexpr size_t kStagingBytes = 8 + ring::kPayloadMax + 8;
constexpr size_t kScratchBytes = ring::kPayloadMax + 64;
static_assert(kContextRoom % 8 == 0 && kStagingBytes % 8 == 0 && kScratchBytes % 8 == 0);
static_assert(kStagingBytes >= kContextRoom, "what was staged is in the payload by then");

constexpr uint32_t kStagedAsked = 0x8000;
constexpr uint32_t kStagedLength = kStagedAsked - 1;
static_assert(ring::kPayloadMax <= kStagedLength);

// Of this event: those with strings write the first word only where they were asked for, and find another's otherwise. What
// is left of an earlier event of the same tracepoint is of an older generation.
inline control::Asked asked_of(control::Event event, const uint64_t* staging) noexcept {
  const auto* words = reinterpret_cast<const uint32_t*>(staging);
  const bool is_its = (words[0] & kStagedAsked) != 0 && words[0] >> 16 == event.word();
  return is_its ? control::Asked(words[1]) : std::nullopt;
}

// Initial-exec and constant-initialized: one instruction to reach, where anything else is a call.
extern constinit thread_local control::Thread t_thread;

void open_environment(Napi::Env env);
Napi::Value staging(const Napi::CallbackInfo& info);        // () -> ArrayBuffer
Napi::Value flags(const Napi::CallbackInfo& info);          // () -> ArrayBuffer of kTracepointsMax u16
Napi::Value generations(const Napi::CallbackInfo& info);    // () -> ArrayBuffer of kTracepointsMax u32
Napi::Value gates(const Napi::CallbackInfo& info);          // (id) -> {generation, gates}
Napi::Value unfit(const Napi::CallbackInfo& info);          // (session, rule, id, why) -> undefined
Napi::Value covered(const Napi::CallbackInfo& info);        // (rule) -> tracepoints
Napi::Value contexts(const Napi::CallbackInfo& info);       // () -> [{name, type}], by slot
Napi::Value cpu(const Napi::CallbackInfo& info);            // () -> number
Napi::Value context_block(const Napi::CallbackInfo& info);  // () -> ArrayBuffer: a ContextBlock

napi_value emit(napi_env env, napi_callback_info info);     // () -> true | undefined: whether to put it again
Napi::Value mixed_emitter(const Napi::CallbackInfo& info);  // (id) -> (...parts) -> true | undefined
Napi::Value refuse(const Napi::CallbackInfo& info);         // (id) -> undefined
Napi::Value configure(const Napi::CallbackInfo& info);      // (settings) -> boolean
Napi::Value declare(const Napi::CallbackInfo& info);        // (tracepoint) -> number | string
Napi::Value add_context(const Napi::CallbackInfo& info);    // (name, type) -> number | string
Napi::Value hand_over(const Napi::CallbackInfo& info);      // (threadId, text) -> undefined
Napi::Value take_over(const Napi::CallbackInfo& info);      // (threadId) -> string | undefined
Napi::Value enable(const Napi::CallbackInfo& info);         // (session, rule) -> outcome
Napi::Value disable(const Napi::CallbackInfo& info);        // (session, id | pattern) -> undefined
Napi::Value open_session(const Napi::CallbackInfo& info);   // (spec) -> undefined
Napi::Value change_session(const Napi::CallbackInfo& info);  // (spec) -> undefined
Napi::Value close_session(const Napi::CallbackInfo& info);   // (name, ms) -> Promise<boolean>
Napi::Value status(const Napi::CallbackInfo& info);          // () -> object
Napi::Value flush(const Napi::CallbackInfo& info);           // (session, ms) -> Promise<boolean>
Napi::Value leave(const Napi::CallbackInfo& info);           // () -> undefined
Napi::Value recover(const Napi::CallbackInfo& info);         // (options) -> Promise<object[]>
Napi::Value write_stderr(const Napi::CallbackInfo& info);    // (text) -> undefined

// {id, provider, event, fields: [{name, type, shape, length, container, labels}]}, as declare() takes it.
Napi::Object described(Napi::Env env, const thrift::Tracepoint& tracepoint);

// What emit() answers where the event is to be asked and put again.
[[gnu::noinline]] napi_value once_more(napi_env env) noexcept;

// After leave(). To be asked every kLeaveMs by whoever waits on a thread of libuv's pool.
bool leaving() noexcept;
constexpr uint64_t kLeaveMs = 50;

// What was refused, as an exception whose message says why and whose code is ERR_BLKIN_ and the reason.
[[noreturn]] void throw_refused(Napi::Env env, const control::Refused& refused);

}  // namespace blkin::addon
