// lib/code-generation.ts: whether text may become code here. emitter.ts and gates.ts have another way where it may not.

/** Probed once: --disallow-code-generation-from-strings makes the first use throw. */
export const canGenerate: boolean = (() => {
  try {
    new Function('')
    return true
  } catch {
    return false
  }
})()
