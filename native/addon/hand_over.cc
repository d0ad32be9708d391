// native/addon/hand_over.cc: the span in which a Worker is started, as text, from the thread that starts it to the Worker.
//   handOver(threadId, text) -> undefined           takeOver(threadId) -> text | undefined, once
// lib/trace/workers.ts calls both. What no Worker asks for is dropped when more come.
#include <map>
#include <mutex>
#include <string>

#include "environment.hpp"

namespace blkin::addon {

namespace {

constexpr size_t kWaitingMax = 256;

struct Waiting {
  std::mutex mutex;
  std::map<int32_t, std::string> by_thread;  // ids of threads only grow: the first is the oldest
};

// Never destroyed: Workers may still start while the process exits.
Waiting& waiting() {
  static auto* const all = new Waiting;
  return *all;
}

}  // namespace

Napi::Value hand_over(const Napi::CallbackInfo& info) {
  const int32_t thread = info[0].As<Napi::Number>().Int32Value();
  std::string text = info[1].As<Napi::String>().Utf8Value();
  Waiting& all = waiting();
  const std::lock_guard lock(all.mutex);
  all.by_thread[thread] = std::move(text);
  if (all.by_thread.size() > kWaitingMax) all.by_thread.erase(all.by_thread.begin());
  return info.Env().Undefined();
}

Napi::Value take_over(const Napi::CallbackInfo& info) {
  Waiting& all = waiting();
  const std::lock_guard lock(all.mutex);
  const auto found = all.by_thread.find(info[0].As<Napi::Number>().Int32Value());
  if (found == all.by_thread.end()) return info.Env().Undefined();
  const Napi::String text = Napi::String::New(info.Env(), found->second);
  all.by_thread.erase(found);
  return text;
}

}  // namespace blkin::addon
