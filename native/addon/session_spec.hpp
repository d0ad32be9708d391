// native/addon/session_spec.hpp: {name, relay?, token, synced, subBuffers, subBufferBytes, mode, blockMs, contexts} from
// JavaScript. lib/session.ts has checked the values; the control room checks them again.
#pragma once

#include "environment.hpp"

namespace blkin::addon {

thrift::SessionSpec session_spec(const Napi::Object& object);
std::vector<std::string> strings_of(const Napi::Value& array);

}  // namespace blkin::addon
