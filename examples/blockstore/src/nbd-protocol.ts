// nbd-protocol.ts: the numbers of the NBD protocol, for the server and the client.
// https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md

export const INIT_MAGIC = Buffer.from('NBDMAGICIHAVEOPT')
export const OPTION_MAGIC = Buffer.from('IHAVEOPT')
export const OPTION_REPLY_MAGIC = Buffer.from('0003e889045565a9', 'hex')
export const REQUEST_MAGIC = 0x25609513
export const SIMPLE_REPLY_MAGIC = 0x67446698

export const HANDSHAKE_FIXED_NEWSTYLE = 1
export const HANDSHAKE_NO_ZEROES = 2

export const OPT_EXPORT_NAME = 1
export const OPT_ABORT = 2
export const OPT_LIST = 3
export const OPT_INFO = 6
export const OPT_GO = 7

export const REP_ACK = 1
export const REP_SERVER = 2
export const REP_INFO = 3
export const REP_ERR_UNSUP = 0x8000_0001
export const REP_ERR_INVALID = 0x8000_0003
export const REP_ERR_UNKNOWN = 0x8000_0006
export const REP_ERR_TOO_BIG = 0x8000_0009

export const INFO_EXPORT = 0
export const INFO_NAME = 1
export const INFO_BLOCK_SIZE = 3

export const FLAG_HAS_FLAGS = 1 << 0
export const FLAG_READ_ONLY = 1 << 1
export const FLAG_SEND_FLUSH = 1 << 2
export const FLAG_SEND_FUA = 1 << 3
export const FLAG_SEND_TRIM = 1 << 5
export const FLAG_SEND_WRITE_ZEROES = 1 << 6
export const FLAG_CAN_MULTI_CONN = 1 << 8

export const CMD_READ = 0
export const CMD_WRITE = 1
export const CMD_DISC = 2
export const CMD_FLUSH = 3
export const CMD_TRIM = 4
export const CMD_WRITE_ZEROES = 6

export const CMD_FLAG_FUA = 1 << 0
export const CMD_FLAG_NO_HOLE = 1 << 1

export const EPERM = 1
export const EIO = 5
export const ENOMEM = 12
export const EINVAL = 22
export const ENOSPC = 28
export const EOVERFLOW = 75
export const ENOTSUP = 95

export const MAX_NAME = 4096
export const MAX_LENGTH = 32 * 1024 * 1024
