/** Scribe's one call: messages of categories, in order. Framed transport, binary protocol, strict or not. */
include "fb303.thrift"

namespace js scribe
namespace py scribe

enum ResultCode {
  OK = 0,
  TRY_LATER = 1
}

struct LogEntry {
  1: string category,
  2: binary message         // as Scribe's `string` on the wire: bytes, which need be no text
}

service scribe extends fb303.FacebookService {
  ResultCode Log(1: list<LogEntry> messages)
}
