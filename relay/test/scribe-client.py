# relay/test/scribe-client.py GEN PORT PROTOCOL: a client of Scribe on Apache's Python runtime, in the strict protocol or in the one
# before it, which Scribe's own clients write. scribe.test.ts runs it: it logs what stdin has, a batch of [category, text] a line,
# and prints the result of each, and then what the server tells of itself.

import json
import sys

sys.path.insert(0, sys.argv[1])
from scribe import scribe  # noqa: E402
from scribe.ttypes import LogEntry  # noqa: E402
from thrift.Thrift import TApplicationException, TMessageType  # noqa: E402
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # noqa: E402
from thrift.transport.TSocket import TSocket  # noqa: E402
from thrift.transport.TTransport import TFramedTransport  # noqa: E402

strict = sys.argv[3] == 'strict'
transport = TFramedTransport(TSocket('127.0.0.1', int(sys.argv[2])))
transport.open()
protocol = TBinaryProtocol(transport, strictRead=strict, strictWrite=strict)
client = scribe.Client(protocol)
for line in sys.stdin:
    batch = [LogEntry(category, text.encode('latin1')) for category, text in json.loads(line)]
    print(client.Log(batch))
client.shutdown()  # which nobody is to obey
client.reinitialize()
print(client.getName(), client.getStatus(), client.getStatusDetails() == '', client.getOptions())
client.setOption('a', 'b')
print(client.getCounter('scribe_overall:received good'), sorted(client.getCounters().items()))
protocol.writeMessageBegin('noSuchCall', TMessageType.CALL, 7)
protocol.writeStructBegin('none')
protocol.writeFieldStop()
protocol.writeStructEnd()
protocol.writeMessageEnd()
transport.flush()
name, kind, seqid = protocol.readMessageBegin()
error = TApplicationException()
error.read(protocol)
protocol.readMessageEnd()
print(kind == TMessageType.EXCEPTION, seqid, error.type == TApplicationException.UNKNOWN_METHOD)
print(client.getVersion() != '', client.aliveSince() > 1_500_000_000)
transport.close()
