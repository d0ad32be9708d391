// relay/src/spans/store/names.ts: which services there are, their span names and whom they call, held in memory.
// The store adds each span's and reads them anew from the table when it opens or old spans went. Names that a program
// makes up without end are bounded here: beyond MOST of them new ones are searchable, but not offered.

import { compare } from '../span.js'

const MOST = 100_000

interface Service {
  names: Set<string>
  remotes: Set<string>
}

export class Names {
  #services = new Map<string, Service>()
  #count = 0

  add(service: string, name: string, remote: string): void {
    if (service === '') return
    let known = this.#services.get(service)
    if (known === undefined) {
      if (this.#count++ >= MOST) return
      known = { names: new Set(), remotes: new Set() }
      this.#services.set(service, known)
    }
    this.#addTo(known.names, name)
    this.#addTo(known.remotes, remote)
  }

  services(): string[] {
    return [...this.#services.keys()].sort(compare)
  }

  names(service: string): string[] {
    return [...(this.#services.get(service.toLowerCase())?.names ?? [])].sort(compare)
  }

  remotes(service: string): string[] {
    return [...(this.#services.get(service.toLowerCase())?.remotes ?? [])].sort(compare)
  }

  #addTo(set: Set<string>, name: string): void {
    if (name === '' || set.has(name) || this.#count >= MOST) return
    set.add(name)
    this.#count++
  }
}
