// lib/cli/relay.ts: `blkin relay`: takes packets from many processes until it is told to stop.
import { once } from 'node:events'
import { Command } from 'commander'
import { loadRelay } from './load-relay.js'
import { summarize } from './summary.js'

interface Flags {
  listen: string
  output: string
  token?: string
}

export function relayCommand(): Command {
  return new Command('relay')
    .description('Takes events from traced processes and keeps a CTF trace of each.')
    .option(
      '-l, --listen <host:port>',
      'where to listen; anything but loopback needs a token',
      '127.0.0.1:4650',
    )
    .option('-o, --output <folder>', 'where the traces go', 'traces')
    .option(
      '-t, --token <text>',
      'what clients must show (better in BLKIN_TOKEN: flags are seen by all users)',
    )
    .addHelpText('after', '\nExample: blkin relay --listen 127.0.0.1:4650 -o traces')
    .action(run)
}

async function run({ listen, output, token = process.env.BLKIN_TOKEN }: Flags): Promise<void> {
  const { startRelay } = await loadRelay()
  const log = (line: string) => void process.stderr.write(`blkin: ${line}\n`)
  const relay = await startRelay({ listen, output, log, ...(token ? { token } : {}) })
  log(`listening on ${relay.address}, traces go to ${output}`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await relay.close()
  log(summarize(relay.stats(), output).text)
}
