// native/addon/recover.cc: recover({host, port, path?, token, timeout, cancel?, known?}) -> Promise<[{uuid, folder, events, givenUp, delivered,
// error}]>. host or path: where the relay listens. timeout: milliseconds for all. cancel: an Int32Array of one word, or
// nothing; not 0: it ends soon. known: uuids, 16 bytes each, or nothing for all: of other users' sessions only these are brought.
#include <algorithm>

#include "../folder/recovery.hpp"

#include "environment.hpp"

namespace blkin::addon {

namespace {

class Recover final : public Napi::AsyncWorker {
 public:
  Recover(Napi::Env env, control::RecoverOptions options, Napi::Value cancel)
      : AsyncWorker(env, "blkin.recover"),
        promise_(Napi::Promise::Deferred::New(env)),
        options_(std::move(options)) {
    if (!cancel.IsTypedArray()) return;
    auto word = cancel.As<Napi::Int32Array>();
    cancel_ = Napi::Persistent(word.As<Napi::Object>());  // so that its memory stays
    options_.cancel = reinterpret_cast<const std::atomic<int32_t>*>(word.Data());
  }

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override { found_ = control::recover_dead(options_); }

  void OnOK() override {
    auto out = Napi::Array::New(Env(), found_.size());
    for (uint32_t i = 0; i < found_.size(); ++i) {
      auto one = Napi::Object::New(Env());
      one.Set("uuid", Napi::Buffer<uint8_t>::Copy(Env(), found_[i].uuid.data(), found_[i].uuid.size()));
      one.Set("folder", found_[i].folder);
      one.Set("events", static_cast<double>(found_[i].events));
      one.Set("givenUp", static_cast<double>(found_[i].given_up));
      one.Set("delivered", found_[i].delivered);
      one.Set("error", found_[i].error);
      out.Set(i, one);
    }
    promise_.Resolve(out);
  }

  void OnError(const Napi::Error& error) override { promise_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred promise_;
  control::RecoverOptions options_;
  Napi::ObjectReference cancel_;
  std::vector<control::Recovered> found_;
};

std::set<std::array<uint8_t, 16>> uuids_of(const Napi::Uint8Array& bytes) {
  std::set<std::array<uint8_t, 16>> out;
  std::array<uint8_t, 16> uuid{};
  for (size_t at = 0; at + uuid.size() <= bytes.ElementLength(); at += uuid.size()) {
    std::copy_n(bytes.Data() + at, uuid.size(), uuid.begin());
    out.insert(uuid);
  }
  return out;
}

}  // namespace

Napi::Value recover(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const auto text = [&](const char* name) {
    const Napi::Value value = options.Get(name);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  };
  const auto timeout = static_cast<uint64_t>(options.Get("timeout").As<Napi::Number>().Int64Value());
  const thrift::Address relay{text("host"), text("port"), text("path")};
  control::RecoverOptions what{relay.text(), relay, text("token"), timeout};
  if (options.Get("known").IsTypedArray()) what.known = uuids_of(options.Get("known").As<Napi::Uint8Array>());
  auto* work = new Recover(info.Env(), std::move(what), options.Get("cancel"));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

}  // namespace blkin::addon
