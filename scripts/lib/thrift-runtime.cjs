// scripts/lib/thrift-runtime.cjs: of Apache's runtime what the generated code and relay/src/protocol/wire.ts use; bundle.mjs makes
// relay/gen/runtime.js of it. The rest would bring servers, browsers' sockets and their packages along.
exports.Thrift = require('thrift/lib/nodejs/lib/thrift/thrift')
exports.TBinaryProtocol = require('thrift/lib/nodejs/lib/thrift/binary_protocol')
exports.TFramedTransport = require('thrift/lib/nodejs/lib/thrift/framed_transport')
exports.Int64 = require('node-int64')
