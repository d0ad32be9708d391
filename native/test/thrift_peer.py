"""native/test/thrift_peer.py: a relay made with the Apache runtime from idl/blkin.thrift, for thrift_peer_test.cc.

Compares every field of every call with the values below, which thrift_peer_test.cc sends; a difference is answered
with Refused and its name. Usage: thrift_peer.py GENERATED_FOLDER; prints its port, serves one connection, then prints
what it saw.
"""
import sys

sys.path.insert(0, sys.argv[1])
from blkin import Relay  # noqa: E402
from blkin.ttypes import (  # noqa: E402
    Ack, Clock, Field, Held, Hello, HelloReply, Label, Lost, Put, PutReply, Refusal, Refused, Shape, Tracepoint, Type,
)
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # noqa: E402
from thrift.transport import TSocket, TTransport  # noqa: E402

HELLO = Hello(
    version=1, uuid=bytes(range(16)), pid=4321, startedAt=1_700_000_000_123_456_789, hostname='höst',
    program='a program', clock=Clock(bootId=bytes(range(200, 216)), offset=-(2**40) - 5), ack=Ack.SYNCED, token='tökən',
    secret=b'\0sixteen bytes.\xff')

TRACEPOINTS = [
    Tracepoint(id=0, provider='disk', event='io', level=6, fields=[
        Field('op', Type.ENUM, Shape.SCALAR, None, Type.U16, [Label('read', 0), Label('write', 65535)]),
        Field('delta', Type.ENUM, Shape.SCALAR, None, Type.I32, [Label('down', -1)]),
        Field('key', Type.U8, Shape.ARRAY, 16, None, None),
        Field('sizes', Type.I64, Shape.SEQUENCE, None, None, None),
        Field('name', Type.STRING, Shape.SCALAR, None, None, None),
        Field('body', Type.BYTES, Shape.SCALAR, None, None, None),
    ]),
    Tracepoint(id=1, provider='disk', event='empty', level=14, fields=[]),
]


def put(n):
    packets = bytes((n * 7 + i) & 255 for i in range(n * 1000))
    return Put(stream=65536 + n, sequence=2**40 + n, position=2**62 + n, events=n,
               lost=Lost(noRoom=n, tooBig=2**33, badValue=0, noRing=2**63 - 1, overwritten=2**34, unstored=2**35),
               packets=packets, epoch=n, offset=-2**50 - n)


def compare(what, got, expected):
    if hasattr(expected, 'thrift_spec'):
        for name in vars(expected):
            compare(f'{what}.{name}', getattr(got, name), getattr(expected, name))
    elif isinstance(expected, list):
        if len(got) != len(expected):
            raise Refused(Refusal.MALFORMED, f'{what}: {len(got)} came, expected {len(expected)}')
        for i, (one, other) in enumerate(zip(got, expected)):
            compare(f'{what}[{i}]', one, other)
    elif got != expected:
        raise Refused(Refusal.MALFORMED, f'{what} is {str(got)[:80]!r}, expected {str(expected)[:80]!r}')


class Handler:
    def __init__(self):
        self.seen = []

    def hello(self, hello):
        self.seen.append('hello')
        compare('hello', hello, HELLO)
        return HelloReply(version=1, tracepoints=7, held=[
            Held(stream=3, sequence=2**40, position=2**41, bytes=2**42, packets=2**43, lastTime=2**44, lost=2**45,
                 events=2**46),
            Held(stream=131072, sequence=1, position=0, bytes=88, packets=1, lastTime=-1, lost=0),
        ])

    def declareTracepoints(self, tracepoints):
        self.seen.append('declare')
        compare('tracepoints', tracepoints, TRACEPOINTS)

    def put(self, got):
        n = got.events
        self.seen.append(f'put {n}')
        if n == 4:
            raise Refused(Refusal.SEQUENCE, 'sequence: expected 12, ünd nicht 4')
        compare(f'put {n}', got, put(n))
        return PutReply(stream=got.stream, sequence=got.sequence)


server = TSocket.TServerSocket('127.0.0.1', 0)
server.listen()
print(server.handle.getsockname()[1], flush=True)
transport = TTransport.TFramedTransport(server.accept())
protocol = TBinaryProtocol(transport, strictRead=True, strictWrite=True)
handler = Handler()
processor = Relay.Processor(handler)
try:
    while True:
        processor.process(protocol, protocol)
except TTransport.TTransportException:
    pass
print(', '.join(handler.seen), flush=True)
