// lib/cli/options/lttng-verbs.ts: what those type who know LTTng, and what it is called here; docs/lttng.md has it concept by
// concept. A table and nothing else. Verbs that are called the same in both (help, list, status, view) are not in it.

const files = 'a trace is readable while it is written, and a new -o begins another'
const later = 'rules stand until they are taken back, also for programs that start later'
const alerts = 'blkin relay --alerts FILE tells when spans go wrong'

export const lttngVerbs: Readonly<Record<string, string>> = {
  'add-context': 'blkin enable PATTERN --context span,tid, or --context of blkin record',
  'add-trigger': alerts,
  clear: files,
  convert: 'blkin view TRACE, or babeltrace2 TRACE',
  create:
    'blkin record -o TRACE -e PATTERN -p PID makes a trace; blkin enable PATTERN --session NAME --to HOST:PORT opens a session that stays',
  destroy: '^C ends blkin record; blkin disable --session NAME closes a session that stays',
  'disable-channel': 'a session has its channels, and goes with them: blkin disable --session NAME',
  'disable-event': 'blkin disable PATTERN',
  'disable-rotation': files,
  'enable-channel': 'blkin enable PATTERN --buffer 8x4M --mode overwrite, or the same flags of blkin record',
  'enable-event': 'blkin enable PATTERN -p PID',
  'enable-rotation': files,
  'list-triggers': 'blkin status',
  load: later,
  metadata: files,
  regenerate: files,
  'remove-trigger': alerts,
  rotate: files,
  save: later,
  'set-session': '--session NAME',
  snapshot:
    'blkin enable PATTERN --session flight --mode overwrite keeps the newest in memory; the same with --to HOST:PORT sends them',
  start: 'blkin enable PATTERN, or blkin record -o TRACE -e PATTERN -p PID: what is on is recorded',
  stop: '^C ends blkin record; blkin disable PATTERN switches off',
  track: '-p PID, or -p NAME',
  untrack: '-p PID, or -p NAME',
  version: 'blkin --version',
}
