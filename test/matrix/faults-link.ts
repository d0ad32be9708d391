// test/matrix/faults-link.ts: rows of the crash matrix in which the link between program and relay breaks, is silent or slow.
import { during, type Fault, LONG_MS, SHORT_MS } from './fault.js'
import { type Link, openLink } from './link.js'
import type { Stage } from './stage.js'

const links = new WeakMap<Stage, Link>()

const linkFault = (
  name: string,
  strike: (link: Link, stage: Stage) => Promise<void>,
  isLong = false,
): Fault => ({
  name: `link: ${name}`,
  ...(isLong ? { isLong } : {}),
  async before(stage) {
    const link = await openLink(stage.address)
    links.set(stage, link)
    stage.target = link.address
  },
  strike: (stage) => strike(links.get(stage)!, stage),
})

const silent = (milliseconds: number) => (link: Link) => during(milliseconds, link.silence, link.heal)

export const linkFaults: Fault[] = [
  linkFault('cut', async (link) => link.cut()),
  linkFault('cut five times', async (link, stage) => {
    for (let turn = 0; turn < 5; turn++) {
      link.cut()
      await stage.emits(50)
    }
  }),
  linkFault('silent', silent(SHORT_MS)),
  linkFault('silent longer than every time-out', silent(LONG_MS), true),
  linkFault('slow', async (link, stage) => {
    link.slow(true)
    await stage.emits(500)
    link.slow(false)
  }),
  linkFault('silent, and the relay is killed', async (link, stage) => {
    link.silence()
    await stage.emits(50)
    await stage.killRelay()
    await stage.startRelay()
    link.heal()
  }),
]
