// test/cli-completion.test.ts: the Tab key, in real shells: what each puts on the line from what lives at that moment.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blkin, cli, ticking } from './support/cli.js'
import { folder } from './support/run.js'
import { terminal } from './support/tmux.js'
import { describeWith } from './support/tools.js'

const words = async (...line: string[]) =>
  (await blkin('complete', '--', ...line)).out.split('\n').map((one) => one.split('\t')[0])

/** A folder for PATH with `blkin` in it, and an empty home. */
function surroundings() {
  const bin = folder()
  writeFileSync(join(bin, 'blkin'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`)
  chmodSync(join(bin, 'blkin'), 0o755)
  return { PATH: `${bin}:${process.env.PATH}`, HOME: folder(), SHELL: '/bin/sh' }
}

describe('candidates', () => {
  test('are verbs, then flags, levels and modes', async () => {
    expect(await words('re')).toEqual(['record', 'relay', 'repair', ''])
    expect(await words('enable', '--ex')).toEqual(['--exclude', '--exactly', ''])
    expect(await words('enable', '--level', 'debug_')).toContain('debug_module')
    expect(await words('enable', '--mode', '')).toEqual(['discard', 'overwrite', 'block', ''])
    expect(await words('overhead', '--u')).toEqual(['--url', ''])
    expect(await words('completion', 'f')).toEqual(['fish', ''])
    expect(await words('')).not.toContain('complete')
  })

  test('are the processes that live, and their tracepoints', async () => {
    const { pid, name } = await ticking()
    expect(await words('tail', '-p', pid)).toEqual([pid, ''])
    expect(await words('ps', '--pid', name)).toEqual([name, ''])
    expect(await words('enable', '-p', pid, 'blockstore:re')).toEqual([
      'blockstore:reply',
      'blockstore:request',
      '',
    ])
    expect(await words('record', '-p', pid, '-e', 'b')).toContain('blockstore:*')
    expect(await words('disable', '-p', 'no-such-program', '')).toEqual([''])
  })
})

const shells = {
  bash: { start: 'bash --noprofile --norc', load: 'source <(blkin completion bash)' },
  zsh: { start: 'zsh -f', load: 'autoload -U compinit; compinit -u; source <(blkin completion zsh)' },
  fish: { start: 'fish --no-config', load: 'blkin completion fish | source' },
}

describe.each(Object.entries(shells))('%s', (shell, { start, load }) => {
  describeWith(['tmux', shell as keyof typeof shells], 'with the Tab key', () => {
    test('completes a verb, a flag, and a tracepoint behind its colon', async () => {
      const { pid } = await ticking()
      const screen = terminal(120, 20, start, surroundings())
      screen.type(load, 'Enter', 'echo loa', 'ded', 'Enter')
      await screen.shows(/^loaded/m)
      screen.type('blkin enab', 'Tab')
      await screen.shows(/blkin enable $|blkin enable$/m)
      screen.type(`-p ${pid} --exac`, 'Tab')
      await screen.shows(/--exactly/)
      screen.type('info blockstore:req', 'Tab')
      await screen.shows(new RegExp(`enable -p ${pid} --exactly info blockstore\\\\?:request`))
      screen.type('Enter')
      await screen.shows(/rule 1 blockstore:request: 1 tracepoint covered, 1 on/)
    })
  })
})
