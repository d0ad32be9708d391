// test/support/power-cut.ts: what a machine's restart changes for a relay's folder (test/programs/power-cut.c is the disk).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeMarks, encodeMark, MARKS_FILE_BYTES, slotOf } from '../../relay/src/recording/mark.js'

/** Marks tell the boot in which they were written, and that is another now. */
export function reboot(output: string): void {
  for (const trace of readdirSync(output)) {
    if (trace.startsWith('.')) continue
    for (const name of readdirSync(join(output, trace)).filter((one) => /^\.(events|spans)_/.test(one))) {
      const path = join(output, trace, name)
      const slots = Buffer.alloc(MARKS_FILE_BYTES)
      for (const mark of decodeMarks(readFileSync(path)))
        encodeMark({ ...mark, boot: 1n }).copy(slots, slotOf(mark))
      writeFileSync(path, slots)
    }
  }
}
