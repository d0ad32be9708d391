// relay/src/recording/put.ts: does this put follow what is held of its stream? Where it does: where the stream ends then.
// Recordings call it for a put that they do not hold yet, with the uuid of its epoch. Pure: it changes nothing.

import { walkPackets } from '../ctf/check-packets.js'
import { malformed, refuse } from '../protocol/check/refuse.js'
import { beginEpoch, type Mark, type PutMark } from './mark.js'

export function follow(mark: Mark, given: PutMark, packets: Buffer, uuid: Buffer, stream: number): Mark {
  if (given.sequence > mark.sequence + 1) {
    const name = `put.sequence of stream ${stream}`
    refuse('SEQUENCE', `${name} is ${given.sequence}; expected ${mark.sequence + 1}`)
  }
  for (const name of ['position', 'noRoom', 'tooBig', 'badValue', 'noRing', 'overwritten'] as const) {
    if (given[name] < mark[name]) malformed(`put.${name}`, given[name], `${mark[name]} or more`)
  }
  if (given.epoch.number < mark.epoch.number)
    malformed('put.epoch', given.epoch.number, `${mark.epoch.number} or more`)
  const from = given.epoch.number > mark.epoch.number ? beginEpoch(mark, given.epoch) : mark
  const end = walkPackets(packets, uuid, stream, from)
  return {
    ...given,
    ...end,
    epoch: from.epoch,
    lostBefore: from.lostBefore,
    eventsBefore: from.eventsBefore,
    events: mark.events + given.events,
    unstored: Math.max(mark.unstored, given.unstored), // a repair may have counted what its sender knows nothing of
  }
}
