// relay/src/ports/places.ts: who may be connected to a port: so many that belong there and, apart from them, so many that have not
// shown yet that they do. A stranger never takes the place of one that belongs. Where there are too many strangers the one goes that
// was silent for longest, of those from the address that has most of them: so one host cannot drive out the others.
// listener.ts and http/connections.ts own one each.

export interface Client {
  /** Of its host. */
  readonly address: string
  /** It has shown that it belongs here, by a token or by what it did. */
  readonly belongs: boolean
  /** When it said something last, as performance.now() has it; Infinity while it is worked for. */
  readonly silentSince: number
  /** `fault` is the reason in a word or two, for who counts. */
  end(why: string, fault: string): unknown
}

export interface PlaceLimits {
  /** Clients that belong. Where one more comes, one that was silent for `idleMs` makes room. */
  most: number
  idleMs: number
  strangers: number
}

export class Places<C extends Client> {
  readonly #clients = new Set<C>()

  constructor(readonly limits: PlaceLimits) {}

  /** Makes room for one more, whom add() then tells of. False where there is none. */
  makeRoom(): boolean {
    const { most, idleMs, strangers } = this.limits
    const all = [...this.#clients]
    const known = all.filter(({ belongs }) => belongs)
    if (known.length >= most && !this.#endOne(known, idleMs)) return false
    const others = all.filter(({ belongs }) => !belongs)
    return others.length < strangers || this.#endOne(ofFullestAddress(others), 0)
  }

  add(client: C): void {
    this.#clients.add(client)
  }

  delete(client: C): void {
    this.#clients.delete(client)
  }

  /** False where none was silent for so long. */
  #endOne(clients: readonly C[], idleMs: number): boolean {
    const silent = clients.reduce((a, b) => (b.silentSince < a.silentSince ? b : a))
    if (performance.now() - silent.silentSince < idleMs) return false
    this.#clients.delete(silent)
    silent.end('it was silent, and another needs its place', 'no place')
    return true
  }
}

function ofFullestAddress<C extends Client>(clients: readonly C[]): C[] {
  const byAddress = new Map<string, C[]>()
  for (const client of clients) {
    const there = byAddress.get(client.address)
    if (there) there.push(client)
    else byAddress.set(client.address, [client])
  }
  return [...byAddress.values()].reduce((a, b) => (b.length > a.length ? b : a))
}
