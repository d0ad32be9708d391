// native/control/calls.hpp: the Control service of idl/blkin.thrift: a call's bytes in, its answer's bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace blkin::control {

class Controller;
class Process;

constexpr size_t kControllersMax = 16;

// False: no call at all, so there is nobody to answer. An answer that must wait is left to controller.answer_later(), and
// `frame` stays empty.
bool answer_call(Process& process, Controller& controller, const uint8_t* call, size_t size,
                 std::vector<uint8_t>& frame);

}  // namespace blkin::control
