// native/thrift/fork.hpp: descriptors that a copy of the process, made by fork(2) without exec, must not keep: the lock that says
// that the process lives, its control socket, its connection to the relay. The copy has none of the threads that use them,
// and while it held them, others would take the dead process for a living one. (What exec is called for loses them anyway.)
// Any thread may call; a descriptor is known from the moment after it is opened to the moment before it is closed.
#pragma once

namespace blkin::thrift {

// The child of a fork closes it.
void close_in_child(int fd) noexcept;
// To be called before it is closed.
void keep_in_child(int fd) noexcept;

}  // namespace blkin::thrift
