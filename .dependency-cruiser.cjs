// .dependency-cruiser.cjs: what may import what, for `npm run lint:imports`. relay/src is built in floors: a room, which is a folder, imports
// from rooms of floors below its own, and from no other room of its own floor. docs/architecture.md says what each holds.

/** From the ground up. A folder that is in no floor is refused. */
const floors = [
  ['common', 'metrics'],
  ['protocol'],
  ['protocol/check'],
  ['ctf'],
  ['ctf/read'],
  ['ctf/print'],
  ['recording', 'spans', 'sql', 'control'],
  ['recording/files', 'recording/rules', 'spans/formats'],
  ['recording/live', 'spans/assembly'],
  ['pipeline/delivery'],
  ['pipeline/sinks'],
  ['pipeline/alerts', 'pipeline/sample', 'pipeline/store'],
  ['pipeline'],
  ['ports'],
  ['ports/fleet', 'ports/scribe', 'ports/http'],
  ['ports/relay'],
  ['report'],
  ['thread'],
  ['.'],
]

const inRoom = (room) => (room === '.' ? '^relay/src/[^/]+$' : `^relay/src/${room}/[^/]+$`)
const rooms = floors.flat()

module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'No file is needed by what it needs, not even for a type.',
      severity: 'error',
      from: { path: '^relay/src/' },
      to: { circular: true },
    },
    {
      name: 'no-folder-without-a-floor',
      severity: 'error',
      from: {},
      to: { path: '^relay/src/', pathNot: rooms.map(inRoom) },
    },
    {
      name: 'relay-stands-alone',
      comment:
        'The relay is a package: of this repository it has its own sources, and the code generated from idl/.',
      severity: 'error',
      from: { path: '^relay/src/' },
      to: { path: '^(lib|test|bench|scripts|examples|dist|relay/(dist|test))/' },
    },
    ...floors.slice(0, -1).flatMap((floor, i) =>
      floor.map((room) => ({
        name: `${room}-imports-downwards`,
        severity: 'error',
        from: { path: inRoom(room) },
        to: {
          path: floors
            .slice(i)
            .flat()
            .filter((other) => other !== room)
            .map(inRoom),
        },
      })),
    ),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^relay/gen/'] },
    tsPreCompilationDeps: true,
  },
}
