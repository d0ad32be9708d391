// lib/stderr.ts: what has to be told beside status(). Past process.stderr, whose stream makes an error event of a pipe
// that nobody reads, and in a Worker waits for the main thread. Never waits for a pipe that is full.
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { native } from './native.js'

export function writeError(text: string): void {
  try {
    if (native !== undefined) native.writeStderr(text)
    else if (process.platform === 'linux' && fstatSync(2).isFIFO()) writeToPipe(text)
    else writeSync(2, text)
  } catch {} // closed, or nobody reads it
}

/** Without the addon only a pipe can be asked whether it is full: by opening it once more, since how it was opened is shared. */
function writeToPipe(text: string): void {
  let pipe = 2
  try {
    pipe = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {} // --permission, or no /proc
  try {
    writeSync(pipe, text)
  } finally {
    if (pipe !== 2) closeSync(pipe)
  }
}
