// lib/trace/bind-events.ts: makes a span the current one in the listeners of one object, by an `emit` of the object's own.
// Who calls those listeners is the parser, a socket or a timer, each in a context of its own that no channel can change:
// RATIONALE tells what else was tried. Prototypes and modules stay as they are.
import type { EventEmitter } from 'node:events'
import { currentHandle } from './current.js'
import { runNoting } from './exceptions.js'
import type { Handle } from './handle.js'

/** What an object's events are in: a handle, no span at all, or whatever is current. */
export type EventSpan = { readonly handle: Handle | undefined } | undefined

/** All events of this object are in that span. */
export function bindEvents(emitter: EventEmitter, handle: Handle | undefined): void {
  const { emit } = emitter
  emitter.emit = function (this: EventEmitter, ...args: Parameters<typeof emit>): boolean {
    if (currentHandle() === handle || this.listenerCount(args[0]) === 0)
      return Reflect.apply(emit, this, args)
    return runNoting(handle, () => Reflect.apply(emit, this, args))
  }
}

const shared = new WeakSet<EventEmitter>()

/** Events of an object that many requests share: each in the span of what it is about, its first argument. */
export function bindSharedEvents(emitter: EventEmitter, spanOf: (subject: object) => EventSpan): void {
  if (shared.has(emitter)) return
  shared.add(emitter)
  const { emit } = emitter
  emitter.emit = function (this: EventEmitter, ...args: Parameters<typeof emit>): boolean {
    const subject = args[1]
    const span = typeof subject === 'object' && subject !== null ? spanOf(subject) : undefined
    if (span === undefined) return Reflect.apply(emit, this, args)
    return runNoting(span.handle, () => Reflect.apply(emit, this, args))
  }
}
