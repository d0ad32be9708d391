// spans.ts: what tests ask of a server with Zipkin's API, and how they write down a trace.

export interface Span {
  traceId: string
  id: string
  parentId?: string
  kind?: string
  name: string
  timestamp: number
  duration?: number
  localEndpoint: { serviceName: string }
  remoteEndpoint?: { serviceName?: string }
  annotations?: { value: string; timestamp: number }[]
  tags?: Record<string, string>
}

/** Traces of so many spans at least whose root is a span `root` of the block store with these tags, once there is one. */
export async function tracesAt(
  url: string,
  root: string,
  tags: Record<string, unknown>,
  spans: number,
): Promise<Span[][]> {
  for (;;) {
    const found = (await allTraces(url, root)).filter((trace) => {
      const first = trace.find(({ parentId, name }) => parentId === undefined && name === root)
      return Object.entries(tags).every(([key, value]) => first?.tags?.[key] === String(value))
    })
    const whole = found.filter((trace) => trace.length >= spans)
    if (whole.length > 0) return whole
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** At most 10,000. */
export async function allTraces(url: string, spanName: string): Promise<Span[][]> {
  const query = new URLSearchParams({ serviceName: 'blockstore', spanName, limit: '10000' })
  const response = await fetch(`${url}/api/v2/traces?${query}`)
  return (await response.json()) as Span[][]
}

/** A line a span, children indented below their parent, in the order of their beginnings. */
export function outline(trace: Span[], parentId?: string, depth = 0): string[] {
  return trace
    .filter((span) => span.parentId === parentId)
    .sort((a, b) => a.timestamp - b.timestamp)
    .flatMap((span) => {
      const kind = span.kind === undefined ? '' : ` ${span.kind.toLowerCase()}`
      const line = `${'  '.repeat(depth)}${span.localEndpoint.serviceName} ${span.name}${kind}`
      return [line, ...outline(trace, span.id, depth + 1)]
    })
}
