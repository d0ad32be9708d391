# otlp-receiver.py: takes OpenTelemetry's protocol over HTTP and reads it with the code that the OpenTelemetry project generates
# from its own .proto files. Prints its port, then each span as a line of JSON, with its resource's attributes.
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.path.insert(0, sys.argv[1])

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def attributes(fields):
    return {field.key: getattr(field.value, field.value.WhichOneof("value")) for field in fields}


def told(resource, span):
    return {
        "resource": attributes(resource.attributes),
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "start": str(span.start_time_unix_nano),
        "end": str(span.end_time_unix_nano),
        "attributes": attributes(span.attributes),
        "events": [[event.name, str(event.time_unix_nano)] for event in span.events],
        "status": [span.status.code, span.status.message],
    }


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        request = service.ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        for group in request.resource_spans:
            for scope in group.scope_spans:
                for span in scope.spans:
                    print(json.dumps(told(group.resource, span)), flush=True)
        answer = service.ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
