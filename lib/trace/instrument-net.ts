// lib/trace/instrument-net.ts: spans of connections: `connect` from the call until it stands, `connection` for as long as
// a server's socket is open. Neither is made current: many requests go over one connection.
import { type EventEmitter, errorMonitor } from 'node:events'
import type { Socket } from 'node:net'
import type { Subscribers } from './channels.js'
import { tellFailure } from './failure.js'
import { start } from './start.js'

function connect({ socket }: { socket: Socket }): void {
  const span = start('connect', { kind: 'client' })
  if (!span.enabled) return
  const connected = () => {
    span.remote({ address: socket.remoteAddress, port: socket.remotePort })
    over()
  }
  const failed = (error: Error) => tellFailure(span, error)
  const over = () => {
    events.off('connect', connected).off(errorMonitor, failed).off('close', over)
    span.end()
  }
  const events: EventEmitter = socket
  events.once('connect', connected).on(errorMonitor, failed).once('close', over)
}

function accept({ socket }: { socket: Socket }): void {
  const span = start('connection', { kind: 'server' })
  if (!span.enabled) return
  span.remote({ address: socket.remoteAddress, port: socket.remotePort })
  const events: EventEmitter = socket
  events.on(errorMonitor, (error: Error) => tellFailure(span, error))
  events.once('close', () => {
    span.tag('bytes.read', socket.bytesRead)
    span.tag('bytes.written', socket.bytesWritten)
    span.end()
  })
}

export const net: Subscribers = { netClient: connect, netServer: accept }
