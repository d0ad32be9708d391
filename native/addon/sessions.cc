// native/addon/sessions.cc: openSession(spec), changeSession(spec), closeSession(name, milliseconds) -> Promise<boolean>:
// whether all that it held was delivered. Shapes: session_spec.hpp.
#include <chrono>

#include "session_spec.hpp"

namespace blkin::addon {

namespace {

// Waits on a thread of the pool, so that the event loop goes on.
class Close final : public Napi::AsyncWorker {
 public:
  Close(Napi::Env env, std::shared_ptr<control::Ending> ending)
      : AsyncWorker(env, "blkin.close"),
        promise_(Napi::Promise::Deferred::New(env)),
        ending_(std::move(ending)) {}

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override {
    std::unique_lock lock(ending_->mutex);
    while (!ending_->over && !leaving())
      ending_->changed.wait_for(lock, std::chrono::milliseconds(kLeaveMs), [&] { return ending_->over; });
  }
  void OnOK() override { promise_.Resolve(Napi::Boolean::New(Env(), ending_->delivered)); }

 private:
  Napi::Promise::Deferred promise_;
  std::shared_ptr<control::Ending> ending_;
};

const char* code_of(thrift::Refusal reason) {
  switch (reason) {
    case thrift::Refusal::kMalformed:
      return "MALFORMED";
    case thrift::Refusal::kStorage:
      return "STORAGE";
    case thrift::Refusal::kNoSession:
    case thrift::Refusal::kExists:
      return "SESSION";
    case thrift::Refusal::kLimit:
      return "LIMIT";
    case thrift::Refusal::kFilter:
      return "FILTER";
  }
  return "MALFORMED";
}

}  // namespace

void throw_refused(Napi::Env env, const control::Refused& refused) {
  Napi::Error error = Napi::RangeError::New(env, refused.message);
  error.Set("code", Napi::String::New(env, std::string("ERR_BLKIN_") + code_of(refused.reason)));
  throw error;
}

std::vector<std::string> strings_of(const Napi::Value& value) {
  std::vector<std::string> out;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) out.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  return out;
}

thrift::SessionSpec session_spec(const Napi::Object& object) {
  const auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int64Value(); };
  thrift::SessionSpec spec;
  spec.name = object.Get("name").As<Napi::String>().Utf8Value();
  spec.sends = object.Get("relay").IsString();
  if (spec.sends) spec.relay = object.Get("relay").As<Napi::String>().Utf8Value();
  spec.token = object.Get("token").As<Napi::String>().Utf8Value();
  spec.ack = object.Get("synced").ToBoolean().Value() ? thrift::Ack::kSynced : thrift::Ack::kWritten;
  spec.channel.sub_buffer_bytes = number("subBufferBytes");
  spec.channel.sub_buffers = static_cast<int32_t>(number("subBuffers"));
  spec.channel.mode = static_cast<thrift::Mode>(number("mode"));
  spec.channel.block_ms = static_cast<int32_t>(number("blockMs"));
  spec.contexts = strings_of(object.Get("contexts"));
  return spec;
}

Napi::Value open_session(const Napi::CallbackInfo& info) {
  const auto refused = control::Process::get().open(session_spec(info[0].As<Napi::Object>()));
  if (refused) throw_refused(info.Env(), *refused);
  return info.Env().Undefined();
}

Napi::Value change_session(const Napi::CallbackInfo& info) {
  const auto refused = control::Process::get().change(session_spec(info[0].As<Napi::Object>()));
  if (refused) throw_refused(info.Env(), *refused);
  return info.Env().Undefined();
}

Napi::Value close_session(const Napi::CallbackInfo& info) {
  std::shared_ptr<control::Ending> ending;
  const auto refused =
      control::Process::get().close(info[0].As<Napi::String>().Utf8Value(),
                                    static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()), ending);
  if (refused) throw_refused(info.Env(), *refused);
  auto* work = new Close(info.Env(), std::move(ending));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

}  // namespace blkin::addon
