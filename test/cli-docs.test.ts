// test/cli-docs.test.ts: the commands in the pages as a reader would run them: on two traced programs and a relay with
// alerts, whose addresses, pids and trace ids take the place of those in the text. What is shown of output has the shape of
// what is printed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { blkin, cli, type Done, json } from './support/cli.js'
import { type Block, blocksOf } from './support/markdown.js'
import { freeAddress, until } from './support/relays.js'
import { cleanEnvironment, folder, program, root, start } from './support/run.js'
import { wordsOf } from './support/shell.js'
import { describeWith } from './support/tools.js'

const block = (page: string, holds: string): Block => {
  const found = blocksOf(page).find(({ text }) => text.includes(holds))
  if (found === undefined) throw new Error(`no block in ${page} holds ${JSON.stringify(holds)}`)
  return found
}

/** A relay with the alerts of docs/alerts.md, two programs that send to it, and what stands for what is in the text. */
async function surroundings() {
  const here = place()
  const [address, http] = [await freeAddress(), await freeAddress()]
  wordsOf(block('docs/alerts.md', '> alerts <<'), here) // makes the file of rules
  const relay = runIn(here, [
    'relay',
    '--listen',
    address,
    '--http',
    http,
    '--alerts',
    'alerts',
    '-o',
    'relayed',
  ])
  await until(() => relay.output().includes("Zipkin's API is on"))
  const [server, blockstore] = [`server-${process.pid}`, `blockstore-${process.pid}`]
  const programs = [server, blockstore].map((name) =>
    start(program('documented.mjs'), {
      env: { BLKIN_NAME: name, BLKIN_RELAY: address, BLKIN_ENABLE: 'blkin:*' },
      timeout: 120_000,
    }),
  )
  for (const one of programs) await one.says('ready')
  const traces = () => blkin('traces', '--http', http, '--json', '--service', blockstore)
  await until(async () => (await traces()).code === 0)
  const [{ traceId } = { traceId: '' }] = json<{ traceId: string }>(await traces())
  const real: Record<string, string> = {
    ...{
      '4711': String(programs[0]!.child.pid),
      '127.0.0.1:4650': address,
      'unix:': address,
      '463ac35c9f6413ad': traceId,
    },
    ...{ '127.0.0.1:4651': http, 'http://zipkin:9411': http, 'server*': `${server}*`, server, blockstore },
  }
  onTestFinished(async () => void (await blkin('disable', 'blockstore:*', '-p', `${server}*`))) // standing ones
  return {
    http,
    asHere: (words: string[]) => [...words.map((word) => real[word] ?? word), ...ofServer(words, real)],
  }
}

/** A rule that names no process would stand for all of this user's. */
const ofServer = ([verb = '', ...words]: string[], real: Record<string, string>): string[] =>
  verb === 'enable' && !words.includes('-p') && !words.includes('--relay') ? ['-p', real['server*']!] : []

/** A folder where `blkin` and `server.mjs` are what README says. */
function place(): string {
  const here = folder()
  mkdirSync(join(here, 'node_modules'))
  symlinkSync(root, join(here, 'node_modules/blkin'))
  writeFileSync(join(here, 'server.mjs'), block('README.md', "provider('blockstore'").text)
  return here
}

interface Command {
  child: ChildProcess
  output(): string
  done: Promise<Done>
}

function runIn(cwd: string, args: string[]): Command {
  const child = spawn(process.execPath, [cli, ...args], {
    ...{ cwd, env: cleanEnvironment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const done = once(child, 'close').then(([code]) => ({ code, out, err }) as Done)
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGTERM')
    await done
  })
  return { child, output: () => out + err, done }
}

/** A relay beside the other: on ports of its own, in a folder of its own, with the rules that the text has not. */
function apart(words: string[]): string[] {
  const [rules, output] = [join(folder(), 'rules'), folder()]
  writeFileSync(rules, 'slow: p99(service=blockstore span=write) > 20ms over 30s\n')
  const listening = ['--listen', '--http', '--scribe-listen']
  const real = words.map((word, i) => {
    if (listening.includes(words[i - 1] ?? '')) return '127.0.0.1:0'
    return words[i - 1] === '--alerts' ? rules : word
  })
  return [
    ...real.flatMap((word, i) => (real[i] === '-o' || real[i - 1] === '-o' ? [] : word)),
    '-o',
    output,
    ...(real.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']),
  ]
}

/** Of the relay that is here, where the text means the usual one. */
const askingAt = (http: string, words: string[]): string[] =>
  ['traces', 'trace', 'status'].includes(words[0]!) && !words.includes('--http')
    ? [...words, '--http', http]
    : words

/** Those that go on until somebody ends them, and what they say once they are at it. */
const endless: Record<string, RegExp> = {
  record: /^blkin: recording/m,
  tail: /\n/,
  top: /\n.*\n/,
  relay: /listening on/,
}

const run: [page: string, holds: string][] = [
  ['README.md', 'npx blkin record -o trace'],
  ['README.md', 'npx blkin ps'],
  ['README.md', 'npx blkin relay --http'],
  ['docs/cli.md', 'blkin ps'],
  ['docs/filter.md', 'blkin enable'],
  ['docs/lttng.md', 'blkin enable'],
  ['docs/traces.md', '--zipkin http://zipkin:9411'],
]

const eventsIn = (trace: string): boolean =>
  existsSync(trace) &&
  readdirSync(trace, { recursive: true }).some((file) => /events_\d+$/.test(String(file)))

/** Words, with what is another each time as #. */
const shapeOf = (line: string): string =>
  line
    .replaceAll(/\S*\d\S*/g, '#')
    .replaceAll(/ +/g, ' ')
    .trim()

const headsOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => /^ *[A-Z/]+( {2,}[A-Z/ ]+)+$/.test(line))
    .map(shapeOf)

describeWith(['bash'], 'what the pages', () => {
  test('have a reader type runs, and prints what they show', async () => {
    const { http, asHere } = await surroundings()
    const printed = new Map<string, string>()
    for (const [page, holds] of run) {
      const here = place()
      for (const words of wordsOf(block(page, holds))) {
        const [verb = ''] = words
        const command = runIn(here, verb === 'relay' ? apart(words) : askingAt(http, asHere(words)))
        const says = words.includes('--') ? undefined : endless[verb]
        if (says !== undefined) {
          await Promise.race([until(() => says.test(command.output())), command.done])
          const isRecorded = () => verb !== 'record' || eventsIn(join(here, words[words.indexOf('-o') + 1]!))
          await Promise.race([until(isRecorded), command.done]) // of none it would say so, and fail
          command.child.kill('SIGINT')
        }
        const { code, out, err } = await command.done
        expect(code, `${page}: ${words.join(' ')}: ${out}${err}`).toBeLessThanOrEqual(
          verb === 'status' ? 1 : 0,
        )
        expect(out + err, words.join(' ')).not.toBe('')
        printed.set(verb, out)
      }
    }
    const heads = [...printed.values()].flatMap(headsOf)
    for (const [page, holds] of [
      ['README.md', 'ALERT  '],
      ['docs/alerts.md', 'ALERT  '],
      ['docs/cli.md', '$ blkin trace'],
      ['docs/traces.md', 'SPAN  '],
    ] as const) {
      const { text } = block(page, holds)
      expect(headsOf(text), page).not.toEqual([])
      for (const head of headsOf(text)) expect(heads, page).toContain(head)
    }
    const first = block('docs/traces.md', 'SPAN  ').text.split('\n')[0]!
    expect(
      shapeOf(printed.get('trace')!.split('\n')[0]!)
        .replace('# span,', '# spans,')
        .replace('service,', 'services,'),
    ).toBe(shapeOf(first))
    const shown = block('docs/alerts.md', 'ALERT  ').text
    for (const name of ['slow-writes', 'failing', 'lost-replica']) {
      const of = (text: string) =>
        new RegExp(`^${name}.* {2}((?:p99|errors|missing)\\(.*?\\)) `, 'm').exec(text)?.[1]
      expect(of(printed.get('status')!), name).toBe(of(shown))
    }
  }, 120_000)
})
