// lib/cli/process/wait.ts: until when a verb that watches goes on: a signal, a time, or the end of what it watches. A second
// signal of the same kind is not caught: it ends the command at once.

export type Reason = 'signal' | 'time' | 'over'

export async function untilEnd(over: Promise<unknown>, forMs?: number): Promise<Reason> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let stop: (reason: Reason) => void = () => {}
  const stopped = new Promise<Reason>((resolve) => {
    stop = resolve
  })
  const signalled = () => stop('signal')
  for (const signal of signals) process.once(signal, signalled)
  const timer = forMs === undefined ? undefined : setTimeout(() => stop('time'), forMs)
  void over.then(() => stop('over'))
  const reason = await stopped
  clearTimeout(timer)
  for (const signal of signals) process.off(signal, signalled)
  return reason
}
