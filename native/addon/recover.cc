// native/addon/recover.cc: recover({host, port, path?, token, timeout}) -> Promise<[{uuid, folder, events, delivered,
// error}]>. timeout: milliseconds for each.
#include "../control/recovery.hpp"

#include "environment.hpp"

namespace blkin::addon {

namespace {

class Recover final : public Napi::AsyncWorker {
 public:
  Recover(Napi::Env env, thrift::Address relay, std::string token, uint64_t timeout_ms)
      : AsyncWorker(env, "blkin.recover"),
        promise_(Napi::Promise::Deferred::New(env)),
        relay_(std::move(relay)),
        token_(std::move(token)),
        timeout_ms_(timeout_ms) {}

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override { found_ = control::recover_dead(relay_.text(), relay_, token_, timeout_ms_); }

  void OnOK() override {
    auto out = Napi::Array::New(Env(), found_.size());
    for (uint32_t i = 0; i < found_.size(); ++i) {
      auto one = Napi::Object::New(Env());
      one.Set("uuid", Napi::Buffer<uint8_t>::Copy(Env(), found_[i].uuid.data(), found_[i].uuid.size()));
      one.Set("folder", found_[i].folder);
      one.Set("events", static_cast<double>(found_[i].events));
      one.Set("delivered", found_[i].delivered);
      one.Set("error", found_[i].error);
      out.Set(i, one);
    }
    promise_.Resolve(out);
  }

 private:
  Napi::Promise::Deferred promise_;
  thrift::Address relay_;
  std::string token_;
  uint64_t timeout_ms_;
  std::vector<control::Recovered> found_;
};

}  // namespace

Napi::Value recover(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const auto text = [&](const char* name) {
    const Napi::Value value = options.Get(name);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  };
  const auto timeout = static_cast<uint64_t>(options.Get("timeout").As<Napi::Number>().Int64Value());
  auto* work = new Recover(info.Env(), {text("host"), text("port"), text("path")}, text("token"), timeout);
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

}  // namespace blkin::addon
