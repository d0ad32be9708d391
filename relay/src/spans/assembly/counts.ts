// relay/src/spans/assembly/counts.ts: what the assembler counts, so that every event that came is in a span or told apart.
// events = inSpans + held + duplicates + malformed + orphaned + tooLate + tooMany, at every moment.

export class Counts {
  /** Events of the contract's names that came. */
  events = 0
  /** Those that are part of a span handed on. */
  inSpans = 0
  /** Those of spans that are still open, or that ended a moment ago. */
  held = 0
  /** A second begin or end of a span. */
  duplicates = 0
  /** Not declared as the contract says, or with an id of 0. */
  malformed = 0
  /** Of a span whose begin never came. */
  orphaned = 0
  /** Came when their span had been handed on. */
  tooLate = 0
  /** Beyond what one span may hold. */
  tooMany = 0

  /** Spans handed on, whole and not. */
  spans = 0
  /** Those without an end: their process went, or too many were open. */
  incomplete = 0
  /** Facts that came after their span's end and are in it. */
  late = 0
  /** Spans whose end is before their begin. */
  backwards = 0
  /** Events that the tracers lost, in the rings of spans. */
  lost = 0
}
