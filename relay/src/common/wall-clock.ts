// relay/src/common/wall-clock.ts: what time it is, for who judges by it what is old enough to go.

/** The time of day by the clock, or as it went on since the start: one that is set ahead by mistake makes nothing old. */
export const soonest = () => Math.min(Date.now(), performance.timeOrigin + performance.now())
