# relay/test/client.py GEN PORT: a traced process in a second language, on Apache's Python runtime.
# python.test.ts runs it. It prints what the relay held at the end.

import struct
import sys

sys.path.insert(0, sys.argv[1])
from blkin import Relay  # noqa: E402
from blkin.ttypes import Clock, Field, Hello, Lost, Put, Refused, Tracepoint  # noqa: E402
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # noqa: E402
from thrift.transport.TSocket import TSocket  # noqa: E402
from thrift.transport.TTransport import TFramedTransport  # noqa: E402

UUID = bytes(range(16))


def packet(seq, time, events, discarded):
    content = 84 + len(events)
    size = (content + 7) // 8 * 8
    head = struct.pack('<I16sIQQQQQQQI', 0xC1FC1FC1, UUID, 0, 2, time, time, content * 8, size * 8, seq, discarded, 2)
    return (head + events).ljust(size, b'\0')


def connect():
    transport = TFramedTransport(TSocket('127.0.0.1', int(sys.argv[2])))
    transport.open()
    return Relay.Client(TBinaryProtocol(transport)), transport


def hello():
    clock = Clock(bootId=b'b' * 16, offset=1_700_000_000_000_000_000)
    return Hello(version=1, uuid=UUID, pid=42, startedAt=1, hostname='h', program='py', clock=clock, ack=1)


client, transport = connect()
client.hello(hello())
client.declareTracepoints([Tracepoint(id=0, provider='p', event='e', level=6, fields=[Field('n', 3, 0)])])
event = struct.pack('<II', (2000 & 0x7FFFFFF) << 5, 77)
body = packet(0, 1000, b'', 0) + packet(1, 2000, event, 3)
lost = Lost(noRoom=3, tooBig=0, badValue=0, noRing=0)
client.put(Put(stream=2, sequence=1, position=64, events=1, lost=lost, packets=body))
try:
    client.put(Put(stream=2, sequence=5, position=64, events=0, lost=lost, packets=body))
except Refused as refused:
    print(refused.message)
transport.close()
client, transport = connect()
reply = client.hello(hello())
print(reply.tracepoints, [(h.stream, h.sequence, h.position, h.packets, h.lost) for h in reply.held])
transport.close()
