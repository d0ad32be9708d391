/** A span as Zipkin's first format has it: what its Scribe collector takes, one in base64 a message. */
namespace js zipkin
namespace py zipkin

struct Endpoint {
  1: i32 ipv4,            // 0: none
  2: i16 port,            // of 16 bits without a sign; 0: none
  3: string service_name,
  4: optional binary ipv6
}

struct Annotation {
  1: i64 timestamp,       // microseconds since the epoch
  2: string value,        // "cs", "sr", "ss", "cr" and the like, or what happened
  3: optional Endpoint host
}

enum AnnotationType {
  BOOL = 0,
  BYTES = 1,
  I16 = 2,
  I32 = 3,
  I64 = 4,
  DOUBLE = 5,
  STRING = 6
}

/** A tag; or, as a BOOL of "ca" or "sa", the other side's address. */
struct BinaryAnnotation {
  1: string key,
  2: binary value,
  3: AnnotationType annotation_type,
  4: optional Endpoint host
}

struct Span {
  1: i64 trace_id,
  3: string name,
  4: i64 id,
  5: optional i64 parent_id,
  6: list<Annotation> annotations,
  8: list<BinaryAnnotation> binary_annotations,
  9: optional bool debug = false,
  10: optional i64 timestamp,
  11: optional i64 duration,
  12: optional i64 trace_id_high
}
