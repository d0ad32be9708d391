// lib/cli/verbs/completion.ts: `blkin completion SHELL`: a script for the shell that asks `blkin complete WORDS...` for every
// candidate, so that verbs, flags and their values stand in one place: the commands themselves. `complete` is hidden; it
// prints one candidate a line, with a tab and its description, takes what lives at that moment, and never fails.

import { Argument, Command, type Option } from 'commander'
import { compileGlob } from '../names/glob.js'
import { nameOf } from '../names/tracepoints.js'
import { ending } from '../options/exit.js'
import { visible } from '../print/visible.js'
import { findProcesses } from '../process/find.js'

/** The scripts differ only in how a shell takes candidates: with descriptions (zsh, fish) or without (bash). */
const scripts = {
  bash: `# blkin completion bash: source <(blkin completion bash)
_blkin() {
  # A colon parts words in COMP_WORDS, so the line is cut by hand, and readline gets what follows the last colon.
  local line=\${COMP_LINE:0:COMP_POINT} words candidate cur
  [[ $line == *[[:space:]] ]] && line+="''"
  eval "words=($(sed 's/[][(){}<>|;&*?$\`!~#]/\\\\&/g' <<<"$line"))" 2>/dev/null || return
  cur=\${words[-1]}
  local colons=\${cur%"\${cur##*:}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("\${candidate#"$colons"}")
  done < <(command blkin complete -- "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *: ]] && compopt -o nospace
}
complete -o default -F _blkin blkin
`,
  zsh: `#compdef blkin
# blkin completion zsh: source <(blkin completion zsh), or save it as _blkin in a folder of $fpath
_blkin() {
  local -a lines; local line name
  lines=("\${(@f)$(command blkin complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  local -a described
  for line in $lines; do
    [[ -z $line ]] && continue
    name=\${line%%$'\\t'*}
    described+=("\${name//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#described} )); then _describe blkin described; else _files; fi
}
if [[ \${funcstack[1]} == _blkin ]]; then _blkin "$@"; else compdef _blkin blkin; fi
`,
  fish: `# blkin completion fish: blkin completion fish | source
function __blkin_complete
  set -l words (commandline -opc) (commandline -ct)
  command blkin complete -- $words[2..-1] 2>/dev/null
end
complete -c blkin -f -a '(__blkin_complete)'
`,
}

export function completionCommand(): Command {
  return new Command('completion')
    .summary('a script for bash, zsh or fish')
    .description('Prints a script that completes verbs, flags, processes, tracepoints.')
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(scripts)))
    .addHelpText('after', ending('source <(blkin completion bash)', '0 done, 2 bad usage'))
    .action((shell: keyof typeof scripts) => void process.stdout.write(scripts[shell]))
}

export function completeCommand(program: Command): Command {
  return new Command('complete')
    .argument('[words...]', 'what stands on the line behind blkin; the last is being written')
    .passThroughOptions()
    .action(async (words: string[]) => {
      const found = await candidates(program, words).catch(() => [])
      for (const [word, description] of found) {
        if (visible(word) !== word) continue // it would be a part of the shell's line
        process.stdout.write(`${word}\t${visible(description)}\n`)
      }
    })
}

type Candidate = readonly [word: string, description: string]

/** What may stand in the place of the last word. */
export async function candidates(program: Command, words: readonly string[]): Promise<Candidate[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const commands = program.commands.filter((one) => one.name() !== 'complete')
  const verb = commands.find((one) => one.name() === before[0])
  const verbs = commands.map((one) => [one.name(), one.description()] as const)
  const starting = (all: Candidate[]) => all.filter(([word]) => word.startsWith(current))
  if (verb === undefined) return before.length > 0 ? [] : starting(verbs)
  const option = valued(verb, before.at(-1))
  if (option !== undefined) return starting(await valuesOf(option, before))
  if (current.startsWith('-')) return starting(flagsOf(verb))
  const choices = verb.registeredArguments[0]?.argChoices
  if (choices !== undefined) return starting(choices.map((choice) => [choice, ''] as const))
  const [argument] = verb.registeredArguments.map((one) => one.name())
  if (argument === 'verb') return starting(verbs)
  if (argument === 'id') return starting(await (await traceCandidates()).traceIds(before))
  return starting(argument === 'pattern' ? await patterns(before) : [])
}

function valued(verb: Command, word: string | undefined): Option | undefined {
  return verb.options.find(
    ({ long, short, required }) => required && word !== undefined && (word === long || word === short),
  )
}

const flagsOf = (verb: Command): Candidate[] =>
  [...verb.options, ...(verb.createHelp().visibleOptions(verb).slice(-1) ?? [])]
    .filter(({ long, hidden }, i, all) => !hidden && all.findIndex((one) => one.long === long) === i)
    .map(({ long, short, description }) => [long ?? short ?? '', description] as const)

/** Loaded when it is asked for: it needs @blkin/relay, without which verbs and flags are completed too. */
const traceCandidates = () => import('../trace/trace-candidates.js')

async function valuesOf(option: Option, before: readonly string[]): Promise<Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((choice) => [choice, ''] as const)
  switch (option.long) {
    case '--pid':
      return targets()
    case '--enable':
    case '--exclude':
      return patterns(before)
    case '--session':
      return sessions()
    case '--service':
    case '--span':
    case '--remote':
    case '--tag':
      return (await traceCandidates()).traceNames(option.long, before)
    case '--mode':
      return ['discard', 'overwrite', 'block'].map((mode) => [mode, ''] as const)
    default:
      return []
  }
}

async function targets(): Promise<Candidate[]> {
  const found = await findProcesses()
  for (const { control } of found) control.close()
  const byName = new Map<string, number>()
  for (const { state } of found) byName.set(state.program, (byName.get(state.program) ?? 0) + 1)
  return [
    ...found.map(({ state }) => [String(state.pid), state.program] as const),
    ...[...byName].map(([name, n]) => [name, n === 1 ? '1 process' : `${n} processes`] as const),
  ]
}

async function sessions(): Promise<Candidate[]> {
  const found = await findProcesses()
  for (const { control } of found) control.close()
  return [...new Set(found.flatMap(({ state }) => state.sessions.map(({ spec }) => spec.name)))].map(
    (name) => [name, ''] as const,
  )
}

/** Tracepoints of the processes that -p names, and a pattern for each whole provider. */
async function patterns(before: readonly string[]): Promise<Candidate[]> {
  const at = before.findLastIndex((word) => word === '-p' || word === '--pid')
  const found = await findProcesses(at < 0 ? undefined : before[at + 1])
  try {
    const all = (await Promise.all(found.map(({ control }) => control.tracepoints()))).flat()
    const names = [...new Set(all.map(nameOf))].sort()
    const providers = [...new Set(names.map((name) => `${name.split(':')[0]}:*`))]
    return [
      ...providers.map(
        (pattern) => [pattern, `${names.filter(compileGlob(pattern)).length} tracepoints`] as const,
      ),
      ...names.map((name) => [name, ''] as const),
    ]
  } finally {
    for (const { control } of found) control.close()
  }
}
