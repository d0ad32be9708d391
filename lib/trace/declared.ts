// lib/trace/declared.ts: spans whose kind, tags and annotations are declared once, as tracepoints are: spans().
import { applyEnvironment } from '../environment.js'
import type { Values } from '../provider.js'
import { checkEvents, checkProviderName } from '../schema.js'
import type { FieldType } from '../types.js'
import { counts, refused } from './counts.js'
import { makeForm } from './declared-form.js'
import { isReceived, type Remote } from './remote.js'
import type { BeginOptions, Span, SpanKind } from './span.js'
import { startAs } from './start.js'

type Fields = Readonly<Record<string, FieldType<unknown>>>

/** What spans() takes for a span. */
export interface SpanDeclaration {
  /** Default: local. */
  readonly kind?: SpanKind
  /** Known when it begins. */
  readonly tags?: Fields
  /** Tags known when it ends. */
  readonly end?: Fields
  /** By name: what may happen in between, and what is told of it. */
  readonly annotations?: Readonly<Record<string, Fields>>
}

export interface DeclaredSpanOptions extends BeginOptions {
  /** Default: the current span. Of a span in another process what `trace.extract()` or `trace.unpack()` gave. */
  readonly parent?: Span | Remote | undefined
}

type ValuesOf<Declaration, Part extends string> =
  Declaration extends Readonly<Record<Part, infer Declared extends Fields>> ? Values<Declared> : undefined

type AnnotationsOf<Declaration> = Declaration extends {
  readonly annotations: infer Declared extends Readonly<Record<string, Fields>>
}
  ? {
      readonly [Name in keyof Declared]: keyof Declared[Name] extends never
        ? () => void
        : (values: Values<Declared[Name]>) => void
    }
  : unknown

/** A Span, with its annotations as methods. */
export type DeclaredSpan<Declaration> = Omit<Span, 'end'> & {
  /** Its tags all or none: work that failed may not have them. */
  end(values?: ValuesOf<Declaration, 'end'>): void
} & AnnotationsOf<Declaration>

/** Begins the span: below `options.parent` or the current span; the root of a new trace where there is neither. Never throws. */
type Begin<Declaration> =
  undefined extends ValuesOf<Declaration, 'tags'>
    ? (values?: Readonly<Record<string, never>>, options?: DeclaredSpanOptions) => DeclaredSpan<Declaration>
    : (values: ValuesOf<Declaration, 'tags'>, options?: DeclaredSpanOptions) => DeclaredSpan<Declaration>

export type Spans<Declarations> = { readonly [Name in keyof Declarations]: Begin<Declarations[Name]> }

/**
 * Declares spans. The beginning of one is an event with all its tags, typed, and its end another. They are spans as those of
 * `trace.start()`, and recorded where those are: by rules that cover `blkin:*`.
 *
 * @param name letters, digits and `_ . -`, a letter first
 * @param declarations by name: `{ kind?, tags?, end?, annotations? }`
 * @throws TypeError (code ERR_BLKIN_DECLARATION) that names what was given and what is allowed
 */
export function spans<const Declarations extends Readonly<Record<string, SpanDeclaration>>>(
  name: string,
  declarations: Declarations,
): Spans<Declarations> {
  checkProviderName(name)
  checkEvents(name, declarations)
  applyEnvironment()
  const made = Object.entries(declarations).map(([span, declaration]) => {
    const form = makeForm(name, span, declaration)
    const begin = (values: unknown, options?: DeclaredSpanOptions) => {
      let parent: DeclaredSpanOptions['parent']
      try {
        parent = options?.parent
        if (isReceived(parent)) return parent.startAs(form, values, options)
      } catch {
        counts[refused]!++ // a getter of the options that throws
        return form.off
      }
      return startAs(form, values, options as BeginOptions & { parent?: Span })
    }
    return [span, Object.defineProperty(begin, 'name', { value: span })] as const
  })
  return Object.freeze(Object.fromEntries(made)) as unknown as Spans<Declarations>
}
