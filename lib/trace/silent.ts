// lib/trace/silent.ts: handles of spans that are not recorded. `off` and `unsampled` are one object for all spans, so that
// such a span costs no allocation; a context that came from elsewhere needs an object of its own to be handed on.
import { currentHandle } from './current.js'
import type { Form } from './form.js'
import { Handle } from './handle.js'
import { decisionAlone, type WireContext } from './wire.js'

export abstract class Silent extends Handle {
  readonly enabled = false
  readonly failed = false
  rename(): void {}
  annotate(): void {}
  tag(): void {}
  end(): void {}
  remote(): void {}
}

/** While nobody records spans here. Never current; says on the wire what the span that is current says, if one is. */
export class Off extends Silent {
  override child<What>(form: Form<What>): Handle {
    return form.off
  }
  override context(): WireContext | undefined {
    return currentHandle()?.context()
  }
}

/** In a trace that its root decided not to record: it has no ids. */
export class Unsampled extends Silent {
  override child<What>(form: Form<What>): Handle {
    return form.unsampled
  }
  override context(): WireContext {
    return decisionAlone.no
  }
}

export const off: Handle = new Off()
export const unsampled: Handle = new Unsampled()
