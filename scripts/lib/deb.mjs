// scripts/lib/deb.mjs: Debian packages of another release or architecture than this machine's, unpacked into .cache and never
// installed: an older libc, another machine's kernel. apt-get fetches and checks them, with lists and state of its own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * The folder that holds what the packages would install; undefined where they cannot be had.
 * @param {string} suite such as bullseye
 * @param {string} arch as Debian calls it
 * @param {string[]} names a name that ends with a star stands for what that package depends on first
 */
export function unpackedDebs(suite, arch, names) {
  const home = join(root, `.cache/debs/${suite}-${arch}`)
  const folder = join(home, names.join('+').replaceAll('*', ''))
  if (existsSync(folder)) return folder
  try {
    const apt = aptFor(home, suite, arch)
    const wanted = names.map((name) => (name.endsWith('*') ? dependency(apt, name.slice(0, -1)) : name))
    mkdirSync(home, { recursive: true })
    const aside = mkdtempSync(join(home, 'fetch-'))
    try {
      must('apt-get', [...apt, 'download', ...wanted], aside)
      const tree = join(aside, 'tree')
      for (const file of readdirSync(aside).filter((name) => name.endsWith('.deb')))
        must('dpkg-deb', ['-x', file, tree], aside)
      renameSync(tree, folder)
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
  } catch {
    return existsSync(folder) ? folder : undefined // somebody else fetched it meanwhile
  }
  return folder
}

/** Options by which apt-get and apt-cache know that release and architecture, and nothing of this machine. */
function aptFor(home, suite, arch) {
  const mine = must('apt-get', ['indextargets', '--format', '$(ORIGIN) $(REPO_URI) $(CODENAME)']).split('\n')
  const uri = mine.map((line) => /^Debian (\S+) [a-z]+$/.exec(line)?.[1]).find((found) => found !== undefined)
  if (uri === undefined) throw new Error('apt-get knows no Debian archive')
  const at = (name) => join(home, name)
  for (const name of ['lists/partial', 'cache/archives/partial', 'empty'])
    mkdirSync(at(name), { recursive: true })
  writeFileSync(at('sources.list'), `deb [signed-by=${KEYS}] ${uri} ${suite} main\n`)
  writeFileSync(at('status'), '')
  const options = {
    'Dir::Etc::sourcelist': at('sources.list'),
    'Dir::Etc::sourceparts': at('empty'),
    'Dir::State': home,
    'Dir::State::lists': at('lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'APT::Sandbox::User': 'root',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
  }
  const apt = ['-q', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
  if (!readdirSync(at('lists')).some((name) => name.endsWith('Packages'))) must('apt-get', [...apt, 'update'])
  return apt
}

function dependency(apt, name) {
  const found = /Depends: (\S+)/.exec(must('apt-cache', [...apt, 'depends', name]))?.[1]
  if (found === undefined) throw new Error(`${name} depends on nothing`)
  return found
}

function must(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status !== 0) throw error ?? new Error(`${command}: ${stderr}`)
  return stdout
}
