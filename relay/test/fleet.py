# relay/test/fleet.py GEN PORT STANDING: a controller in a second language, on Apache's Python runtime.
# python.test.ts runs it beside a process that polls. It prints what it was told, and what the file STANDING holds.

import sys

sys.path.insert(0, sys.argv[1])
from blkin import Fleet, Relay  # noqa: E402
from blkin.ttypes import Clock, Filter, Hello, Refused, Rule, Sample, StandingRules  # noqa: E402
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # noqa: E402
from thrift.transport.TSocket import TSocket  # noqa: E402
from thrift.transport.TTransport import TFramedTransport, TMemoryBuffer  # noqa: E402


def connect(service):
    transport = TFramedTransport(TSocket('127.0.0.1', int(sys.argv[2])))
    transport.open()
    return service.Client(TBinaryProtocol(transport, strictRead=True, strictWrite=True))


def rule(pattern, **more):
    return Rule(id=0, on=True, pattern=pattern, exclude=[], level=14, exactly=False, origin=4, target='p*', **more)


fleet = connect(Fleet)
fleet.greet(1, 'right')
fleet.enable(rule('a:*', sample=Sample(1, 3), filter=Filter('n > 1')))
process = connect(Relay)
clock = Clock(bootId=b'b' * 16, offset=1_700_000_000_000_000_000)
hello = Hello(version=1, uuid=bytes(16), pid=42, startedAt=5, hostname='h', program='py', clock=clock, ack=1, token='right')
told = process.hello(hello).rules
print(told.version, [(r.id, r.pattern, r.sample.of, r.filter.text) for r in told.rules])
process.send_rules(1, 60_000)
fleet.enable(rule('b:*'))
changed = process.recv_rules()
print(changed.version, [r.pattern for r in changed.rules])
print([r.pattern for r in fleet.disable('p*', 'a:*')], [r.on for r in fleet.rules()])
print([(p.pid, p.startedAt, [s.name for s in p.sessions]) for p in fleet.processes()])
fleet.follow('*', [])
print(fleet.take(1))
try:
    fleet.enable(rule('a'))
except Refused as refused:
    print(refused.message)
standing = StandingRules()
with open(sys.argv[3], 'rb') as file:
    standing.read(TBinaryProtocol(TMemoryBuffer(file.read()), strictRead=True))
print([(r.target, r.pattern, r.origin) for r in standing.rules])
